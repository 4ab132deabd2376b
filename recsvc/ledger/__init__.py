"""What follows an answer: events taken in, uses settled, places in budgets kept and given back.

``intake`` takes events, ``settling`` writes what they come to,
``activating`` reserves and releases, ``budget_watch`` tells the lists what is used up, and
``changed_limits`` what a changed budget makes of that.
"""
