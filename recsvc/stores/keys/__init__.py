"""The key table: every key the service writes, its type, its time to live and what it holds.

Nothing else in the code spells a key. Each begins with the layout's version and the issuer in
braces, so that two issuers never meet and one issuer's keys share a slot of a cluster. ``family``
is a row; ``access``, ``campaigns``, ``cardholders``, ``catalog``, ``events``, ``pushes`` and
``requests`` hold the rows by what they are kept for, ``table`` holds them all.
"""
