"""How good a model is, by what a person hears: recordings and speech of the same sentences before the same judges.

In order: ``sources`` (the files that are given), ``plan`` (what is spoken), ``panel`` (who judges), ``clips`` (one clip made
and judged), ``ledger`` (what was judged before a stop), ``run`` (all of them, in processes), ``statistics`` and ``summary``
(figures with intervals), ``report`` (the JSON), ``table``, ``pictures`` and ``page`` (what people look at).
"""
