"""Campaigns at work: the domain's rules put to the model in use and to the stores.

``ground`` is what all of them stand on, ``assembly`` puts them together, ``book`` is a worker's own
picture of what is live, ``rewriting`` the vectors of those who deleted interests.
``selection`` judges all cardholders for items, ``estimating`` tells a marketer how many,
``checking`` what a launch would meet, ``launching`` leads a campaign along its life, ``rosters``
draws up who is meant and fills the outbox, ``span`` says when deeds count, ``reviewing`` works out
what was earned, ``outcomes`` what the next training may learn. ``webhook_client`` posts to
addresses that strangers chose.
"""
