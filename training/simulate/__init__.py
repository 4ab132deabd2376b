"""An issuer drawn from known tastes, with the truth beside it.

Read in this order: ``parameters`` (what may be asked for), ``trades`` and ``places`` (tables of
the world), ``cardholders`` and ``merchants`` (who meets whom), ``visits`` and ``spool`` (card
usage, in time order, in flat memory), ``items`` and ``wording`` (the catalogue), ``responses``,
``truth`` (what an evaluator may know), ``issuer`` (all of it into one folder).
"""
