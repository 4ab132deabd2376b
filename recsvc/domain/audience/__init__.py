"""Who would want an item, and who may be told: the question of the app, reversed.

``ranking`` scores all cardholders in one pass, ``waterfall`` counts who falls where, ``disclosure``
decides what a count may say, ``filters`` reads a marketer's rule, ``assignment`` gives each
cardholder the best single item at the ``prices`` of scarce ones, ``exchange`` and ``shortlist``
mend what is left.
"""
