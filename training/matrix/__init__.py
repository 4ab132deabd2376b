"""From card usage and responses to the training matrix.

Read in this order: ``inputs`` (what is read: ``events``, ``responses``, ``profiles`` and, into a
``ledger`` of codes, card usage, with ``pairs`` that came together), ``survey`` (who and what there
is), ``coding`` and ``spool`` (dated ``contacts`` as numbers, by cardholder, on disk, less what is
``forgotten``), ``cells`` (contacts added up by the shared rule, into arrays of ``scratch``),
``homes`` and ``segments`` (who belongs together).
"""

from training.matrix.cells import Matrix, build, first_days, visited_after
from training.matrix.coding import spool_contacts
from training.matrix.forgotten import Forgotten
from training.matrix.homes import Homes, homes_of
from training.matrix.inputs import Inputs, open_inputs
from training.matrix.scratch import on_disk
from training.matrix.segments import Segments, popularity, segments_of
from training.matrix.spool import Spool
from training.matrix.survey import EPOCH, Survey, survey

__all__ = [
    "EPOCH",
    "Forgotten",
    "Homes",
    "Inputs",
    "Matrix",
    "Segments",
    "Spool",
    "Survey",
    "build",
    "first_days",
    "homes_of",
    "on_disk",
    "open_inputs",
    "popularity",
    "segments_of",
    "spool_contacts",
    "survey",
    "visited_after",
]
