"""Answers together what several threads ask at the same time: one trip, one stretch of work.

Whoever asks first leads: he answers for himself and for all who came to ask while the one before
him was at it. So the busier a worker is, the more share one trip to the store, and decisions that
follow one another find their code and data in the processor's caches. Nobody waits for others to
come; who leads gives way once to threads that are ready to run.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

MOST_TOGETHER = 16
"""Questions answered in one go, so that the first of them does not wait long for the last."""

Asked = TypeVar("Asked")
Told = TypeVar("Told")


class _Ticket(Generic[Asked, Told]):
    """One question; its turn comes when it is answered, or when its thread is to lead."""

    __slots__ = ("asked", "told", "turn")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.told: Told | Exception | None = None
        self.turn = threading.Lock()
        self.turn.acquire()


class Batcher(Generic[Asked, Told]):
    """Has the questions of threads answered in batches, in the order they came.

    Parameters
    ----------
    answer_all : answers 1 to 16 questions in their order
        An exception among the answers is raised to who asked; one that is raised, to all of the
        batch. Called by one thread at a time, and for each question only after it was asked, so
        what was true then can be seen.
    """

    def __init__(self, answer_all: Callable[[Sequence[Asked]], Sequence[Told | Exception]]) -> None:
        self._answer_all = answer_all
        self._guard = threading.Lock()
        self._waiting: list[_Ticket[Asked, Told]] = []
        self._is_led = False

    def ask(self, asked: Asked) -> Told:
        """The answer to one question; raises what answering it raised."""
        ticket: _Ticket[Asked, Told] = _Ticket(asked)
        if not self._may_lead(ticket):
            ticket.turn.acquire()
        told = self._lead() if ticket.told is None else ticket.told
        if isinstance(told, Exception):
            raise told
        return told

    def _may_lead(self, ticket: _Ticket[Asked, Told]) -> bool:
        """Stand in line; whether nobody leads, so that this thread does."""
        with self._guard:
            self._waiting.append(ticket)
            leads, self._is_led = not self._is_led, True
        return leads

    def _lead(self) -> Told | Exception:
        """Answer those who wait, the own question first, and let the next one lead."""
        time.sleep(0)  # gives way once: threads that are about to ask come in time for this batch
        with self._guard:
            batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
        ended = RuntimeError("the thread that asked for all of them was ended")
        told: Sequence[Told | Exception] = [ended] * len(batch)
        try:
            told = self._answer_all([ticket.asked for ticket in batch])
        except Exception as error:  # noqa: BLE001 - raised by everyone who asked
            told = [error] * len(batch)
        finally:
            self._hand_on()
            for ticket, answer in zip(batch, told, strict=True):
                ticket.told = answer
                ticket.turn.release()
        return told[0]

    def _hand_on(self) -> None:
        """Let the first of those who came meanwhile lead, if anybody did."""
        with self._guard:
            self._is_led = bool(self._waiting)
            if self._waiting:
                self._waiting[0].turn.release()
