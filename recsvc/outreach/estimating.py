"""How many an audience would reach, told so that no one can be singled out by asking again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsvc.domain.audience.disclosure import (
    Answer,
    Disclosed,
    Sketch,
    disclose,
    distance,
    near_answers,
    safe_count,
    sketch_of,
)
from recsvc.domain.audience.waterfall import Exclusion
from recsvc.domain.campaign.pressure import FrequencyCap, allowed_by_all
from recsvc.domain.errors import NotFoundError
from recsvc.outreach.ground import Ground
from recsvc.outreach.selection import Asked, Judged, judge_all
from recsvc.stores.outreach.disclosures import DisclosureStore
from recsvc.stores.outreach.pushes import PushStore

MOST_ROWS = 20_000
"""Cardholders looked at for one estimate; beyond them a sample stands for all."""

MATCHED = "matched"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What may be told.

    Parameters
    ----------
    matched : rounded, or why withheld
    excluded : the same for each step of the waterfall
    sample_share : which share of all cardholders was looked at
    least : as ``matched``, with the least that could have been told where that is withheld
    """

    matched: Answer
    excluded: dict[Exclusion, Answer]
    sample_share: float
    least: int


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Exact counts, for no one's eyes.

    Parameters
    ----------
    judged : Judged
    hashes : uint64, shape (n,)   keyed hash of each cardholder's id, in the order judged
    share : of all cardholders of the model that were looked at
    """

    judged: Judged
    hashes: NDArray[np.uint64]
    share: float

    @property
    def matched(self) -> int:
        """Cardholders of the whole model that would be reached, as far as the sample tells."""
        return round(int(np.count_nonzero(self.judged.fallen.allowed)) / self.share)


class Estimator:
    """Counts audiences of the issuer's model in use.

    Parameters
    ----------
    ground : what outreach stands on
    pushes, disclosures : what is remembered
    caps : on each channel, over all campaigns
    minimum : below which no count is told
    """

    def __init__(
        self,
        ground: Ground,
        *,
        pushes: PushStore,
        disclosures: DisclosureStore,
        caps: tuple[FrequencyCap, ...],
        minimum: int,
    ) -> None:
        self._ground = ground
        self._pushes = pushes
        self._disclosures = disclosures
        self._caps = caps
        self.minimum = minimum

    def count(self, issuer_id: str, asked: Asked) -> Counted:
        """Exact counts; NotFoundError without a model, or for an unknown item."""
        model = self._ground.slot.current(issuer_id)
        if model is None or model.bundle is None:
            raise NotFoundError
        cardholders = model.bundle.model.cardholders
        rows, share = sampled(len(cardholders))
        channel = asked.channel.value
        capped = self._capped(issuer_id, cardholders.ids(rows), channel)
        crowd = self._ground.crowd(model, rows, channel, capped)
        judged = judge_all(model, asked, crowd, self._ground.clock())
        return Counted(judged, np.asarray(cardholders.hashes[rows]), share)

    def _capped(
        self, issuer_id: str, cardholder_ids: Sequence[str], channel: str
    ) -> NDArray[np.bool_]:
        now = self._ground.clock()
        logs = self._pushes.logs(issuer_id, cardholder_ids)
        full = (
            not allowed_by_all(self._caps, [at for kind, at in log if kind == channel], now)
            for log in logs
        )
        return np.fromiter(full, np.bool_, len(logs))

    def estimate(self, issuer_id: str, asked: Asked) -> Estimate:
        """What may be told of an audience, and remembered as told."""
        counted = self.count(issuer_id, asked)
        told, least = self._disclose(issuer_id, asked, counted)
        matched = told.pop(MATCHED)
        excluded = {Exclusion(label): answer for label, answer in told.items()}
        return Estimate(matched, excluded, counted.share, least)

    def _disclose(
        self, issuer_id: str, asked: Asked, counted: Counted
    ) -> tuple[dict[str, Answer], int]:
        """What each group's count may say, and the number of matches to reckon with."""
        now, least = self._ground.clock(), 0
        earlier = self._disclosures.earlier(issuer_id, now)
        has_room = self._disclosures.has_room(issuer_id, now)
        answers: dict[str, tuple[Sketch, Answer]] = {}
        for label, members in _groups(counted.judged, asked.audience.size, counted.share).items():
            sketch = sketch_of(counted.hashes, members)
            count = round(int(np.count_nonzero(members)) / counted.share)
            known = earlier.get(label, [])
            answer = disclose(count, sketch, known, minimum=self.minimum, has_room=has_room)
            answers[label] = (sketch, answer)
            if label == MATCHED:
                near = near_answers(sketch, known, self.minimum)
                least = safe_count(answer, near, count, self.minimum)
        if has_room and not all(_is_known(one, earlier.get(k, [])) for k, one in answers.items()):
            self._disclosures.keep(issuer_id, answers)
        return {label: answer for label, (_, answer) in answers.items()}, least


def _is_known(one: tuple[Sketch, Answer], earlier: Sequence[Disclosed]) -> bool:
    """Whether this very audience got this very answer before."""
    sketch, answer = one
    return any(past.answer == answer and distance(sketch, past.sketch) == 0 for past in earlier)


def sampled(n_cardholders: int) -> tuple[NDArray[np.int64], float]:
    """Rows to look at and their share; rows ascend by a keyed hash, so the first are a sample."""
    looked_at = min(n_cardholders, MOST_ROWS)
    return np.arange(looked_at, dtype=np.int64), looked_at / max(n_cardholders, 1) or 1.0


def _groups(judged: Judged, size: int | None, share: float) -> dict[str, NDArray[np.bool_]]:
    """Who matched, and who fell at each step; the size cuts off the worst of those who matched."""
    fallen = judged.fallen
    matched = fallen.allowed
    wanted = None if size is None else round(size * share)
    if wanted is not None and np.count_nonzero(matched) > wanted:
        best = np.where(matched, judged.worth.max(axis=1, initial=-np.inf), -np.inf)
        kept = np.zeros(matched.size, np.bool_)
        kept[np.argsort(-best, kind="stable")[:wanted]] = True
        fallen = fallen.then(Exclusion.OVER_SIZE, kept)
        matched = fallen.allowed
    return {MATCHED: matched, **{step.value: fallen.fell(step) for step in fallen.counts}}
