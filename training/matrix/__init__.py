"""From card usage and responses to the training matrix.

Read in this order: ``survey`` (who and what there is), ``responses`` (what cardholders did with
items), ``spool`` (dated contacts as numbers, by cardholder, on disk), ``cells`` (contacts added up
by the shared rule), ``segments`` (who belongs together).
"""

from training.matrix.cells import Matrix, build, visited_after
from training.matrix.inputs import Inputs, open_inputs
from training.matrix.segments import Segments, popularity, segments_of
from training.matrix.spool import Spool, spool_contacts
from training.matrix.survey import Survey, survey

__all__ = [
    "Inputs",
    "Matrix",
    "Segments",
    "Spool",
    "Survey",
    "build",
    "open_inputs",
    "popularity",
    "segments_of",
    "spool_contacts",
    "survey",
    "visited_after",
]
