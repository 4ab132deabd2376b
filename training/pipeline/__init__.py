"""The whole job: usage and catalogue in, published bundle out.

Read in this order: ``job`` (the order of things), ``request`` (what is asked), ``stages`` (what is
told on the way), ``facts`` (what the gate must know), ``assembly`` (the model as it is published),
``outcome`` (how it ended).
"""

from training.pipeline.job import run
from training.pipeline.outcome import Outcome
from training.pipeline.request import Request
from training.pipeline.stages import PlainTeller, RichTeller, Stages, Teller

__all__ = ["Outcome", "PlainTeller", "Request", "RichTeller", "Stages", "Teller", "run"]
