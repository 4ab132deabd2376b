"""Any issuer's card usage into ours: a mapping file says which column becomes which.

:func:`load_mapping` reads such a file and :class:`ImportJob` runs it. Each step has a file of its
own: finding files, reading blocks of rows, texts, amounts, instants, merchants, ids, checks,
duplicates.
"""

from training.mapping.importer import ImportJob
from training.mapping.load import load_mapping
from training.mapping.report import ImportReport, TooManyRejectedError

__all__ = ["ImportJob", "ImportReport", "TooManyRejectedError", "load_mapping"]
