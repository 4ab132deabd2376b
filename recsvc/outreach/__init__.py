"""Campaigns at work: the domain's rules put to the model in use and to the stores.

``selection`` judges all cardholders for items, ``estimating`` tells a marketer how many,
``launching`` checks a plan, ``rosters`` draws up who is meant and fills the outbox, ``book`` keeps
a worker's own picture of what is live, ``reviewing`` works out what was earned.
"""
