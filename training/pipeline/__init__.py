"""The whole job: usage and catalogue in, published bundle out.

Read in this order: ``request`` (what is asked), ``stages`` (what is told on the way), ``trial``
(what the evaluation sees), ``assembly`` (the model as it is published), ``job`` (the order of
things).
"""

from training.pipeline.job import Outcome, run
from training.pipeline.request import Request
from training.pipeline.stages import PlainTeller, RichTeller, Stages, Teller

__all__ = ["Outcome", "PlainTeller", "Request", "RichTeller", "Stages", "Teller", "run"]
