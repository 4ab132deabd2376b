"""How long a request may take with all it asks of the stores.

A slow store makes each command wait; without a bound over the whole request, one of many commands
would keep its caller, and the thread that serves him, for a multiple of what one command may take.
"""

import time
from collections.abc import Callable
from enum import StrEnum
from functools import wraps

from flask import Response, g

from recsvc.stores.connection.deadline import Deadline

View = Callable[..., Response]


class Budget(StrEnum):
    """What an endpoint does, by how long it may take; the OpenAPI document tells it as x-budget."""

    QUICK = "quick"
    """One question to a store, and an answer that does without it where there is one."""
    STEADY = "steady"
    """A few questions, or one that must reach the disk."""
    LONG = "long"
    """Goes through much: an import, a whole log, everything about a cardholder or a campaign."""


SHARES = {Budget.QUICK: 0.2, Budget.STEADY: 1.0, Budget.LONG: 6.0}


class Budgets:
    """Sets the deadline of each request.

    Parameters
    ----------
    deadline : of the answering thread; the stores look at it
    seconds : of a steady request
    """

    def __init__(self, deadline: Deadline, seconds: float) -> None:
        self._deadline = deadline
        self._seconds = seconds

    def seconds_of(self, budget: Budget) -> float:
        """How long a request of this budget may take where its caller waits as long."""
        return SHARES[budget] * self._seconds

    def within(self, budget: Budget, view: View) -> View:
        """The view, bounded by its budget and by how long its caller waits.

        What is written once the answer is settled, such as the entry of the audit log, has waits
        of its own: a deed that was done must not go unrecorded because it took long.
        """
        deadline, seconds = self._deadline, self.seconds_of(budget)

        @wraps(view)
        def bounded(**segments: str) -> Response:
            give_up_at = g.get("give_up_at")
            left = seconds if give_up_at is None else give_up_at - time.perf_counter()
            deadline.begin(min(seconds, left))
            try:
                return view(**segments)
            finally:
                deadline.end()

        return bounded
