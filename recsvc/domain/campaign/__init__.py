"""The plan to reach an audience: what it must promise, when it may speak, to whom never.

``campaign`` is the plan and its life cycle, ``launch`` what must hold before it goes live,
``holdout`` who is left out on purpose, ``pressure`` how often one cardholder may be disturbed,
``quiet`` when nobody may be, ``sending`` the judgement at the moment of sending. ``room`` is how
many it means, ``hashing`` draws lots by a keyed hash, ``ids`` makes ids that are no card number.
"""
