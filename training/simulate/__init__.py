"""An issuer drawn from known tastes, with the truth beside it.

Read in this order: ``parameters`` (what may be asked for), ``trades``, ``places`` and ``seasons``
(tables of the world), ``cardholders`` and ``merchants`` (who meets whom, within the ``pools`` of a
city), ``plan`` and ``timing`` (how many visits, and when), ``visits``, ``purchases`` and ``spool``
(card usage, in time order, in flat memory; a ``ledger`` remembers what terms ask), ``items`` with
``offerings``, ``rewards``, ``fine_print`` and ``wording`` (the catalogue), ``odds``, ``responses``
and ``pushes`` (who takes up what), ``truth`` (what an evaluator may know), ``issuer`` (all of it
into one folder), ``portrait`` (what is shown of it).
"""
