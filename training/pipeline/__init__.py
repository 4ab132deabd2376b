"""The whole job: usage and catalogue in, published bundle out.

Read in this order: ``job`` (the order of things), ``request`` (what is asked), ``ground`` (what a
run stands on), ``evidence`` (what is known before the fit), ``facts`` (what the gate must know),
``account`` (what it tells of itself), ``outcome`` (how it ended).
"""

from training.pipeline.job import run
from training.pipeline.outcome import Outcome
from training.pipeline.request import Request

__all__ = ["Outcome", "Request", "run"]
