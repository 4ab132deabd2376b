"""Draws up who is meant by a campaign and fills the outbox; may be killed at any line."""

import itertools
from collections.abc import Iterable

import numpy as np
import orjson
from numpy.typing import NDArray

from embeddings.bundle import Bundle
from embeddings.erasure import ErasedList
from recsvc.domain.audience.assignment import NOBODY, assign
from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.campaign.room import both_arms, room
from recsvc.domain.model import ServingModel
from recsvc.outreach.ground import Ground
from recsvc.outreach.selection import (
    Crowd,
    Judged,
    best_for_item,
    judge_all,
    may_be_told,
)
from recsvc.stores.outreach.outbox import OutboxStore
from recsvc.stores.outreach.rosters import Part, Row, parts_of

BATCH = 100
PARTS_AT_ONCE = 20


class RosterMaker:
    """Makes rosters; making one again changes nothing."""

    def __init__(self, ground: Ground, outbox: OutboxStore) -> None:
        self._ground = ground
        self._outbox = outbox
        self._rosters = ground.rosters
        self._book = ground.book

    def make(self, issuer_id: str, campaign: Campaign) -> int:
        """Draw up the roster if there is none, and put into the outbox what is not there yet.

        Returns
        -------
        How many parts were put into the outbox by this run; 0 without a model.
        """
        campaign_id = campaign.campaign_id
        if not self._rosters.has(issuer_id, campaign_id):
            model = self._ground.slot.current(issuer_id)
            if model is None or model.bundle is None:
                return 0
            before = self._ground.standings.erased(issuer_id)
            drawn_up = parts_of(self._meant(issuer_id, model, model.bundle, campaign))
            if self._rosters.put(issuer_id, campaign_id, drawn_up):
                drawn_up = self._without_erased(issuer_id, campaign_id, drawn_up, before)
                return self._queue(issuer_id, campaign_id, enumerate(drawn_up))
        done = self._outbox.queued(issuer_id, campaign_id)
        parts = self._rosters.parts(issuer_id, campaign_id)
        return self._queue(issuer_id, campaign_id, (one for one in parts if one[0] not in done))

    def has_made(self, issuer_id: str, campaign: Campaign) -> bool:
        """Whether there is a roster, so that only its parts may still have to be queued."""
        return self._rosters.has(issuer_id, campaign.campaign_id)

    def _without_erased(
        self, issuer_id: str, campaign_id: str, parts: list[Part], before: ErasedList
    ) -> list[Part]:
        """The parts without those who were erased while they were drawn up.

        Whoever is erased from now on is taken out of the roster, which is there by now.
        """
        now = self._ground.standings.erased(issuer_id)
        fresh = ErasedList(issuer_id, now.key, now.hashes - before.hashes)
        if not fresh.hashes:
            return parts
        kept: list[Part] = [[row for row in part if not fresh.covers(row[0])] for part in parts]
        changed = {n: part for n, part in enumerate(kept) if len(part) < len(parts[n])}
        if changed:
            self._rosters.amend(issuer_id, campaign_id, changed)
        return kept

    def _queue(self, issuer_id: str, campaign_id: str, parts: Iterable[tuple[int, Part]]) -> int:
        """Put parts into the outbox, some in each round trip; returns how many were not there."""
        left, queued = iter(parts), 0
        while some := list(itertools.islice(left, PARTS_AT_ONCE)):
            batches = [
                (number, self._batches(issuer_id, campaign_id, part)) for number, part in some
            ]
            queued += self._outbox.queue(issuer_id, campaign_id, batches)
        return queued

    def _batches(self, issuer_id: str, campaign_id: str, part: Part) -> list[bytes]:
        to = [(who, item_id) for who, item_id, treated, *_ in part if treated]
        push_ids = self._book.push_ids(issuer_id, campaign_id, [who for who, _ in to])
        pushes = [
            (push_id, campaign_id, who, item_id)
            for push_id, (who, item_id) in zip(push_ids, to, strict=True)
        ]
        return [orjson.dumps(pushes[at : at + BATCH]) for at in range(0, len(pushes), BATCH)]

    def _meant(
        self, issuer_id: str, model: ServingModel, bundle: Bundle, campaign: Campaign
    ) -> list[Row]:
        """Everybody whom the campaign means, both arms."""
        cardholders = bundle.model.cardholders
        rows = np.arange(len(cardholders), dtype=np.int64)
        uncapped = np.zeros(rows.size, np.bool_)
        crowd = self._ground.crowd(model, rows, campaign.channel.value, uncapped)
        items = self._items(issuer_id, model, campaign, crowd)
        value = bundle.model.scores.get("value")
        before = np.zeros(rows.size) if value is None else np.nan_to_num(np.asarray(value))
        return self._listed(issuer_id, campaign, crowd, items, before)

    def _items(
        self, issuer_id: str, model: ServingModel, campaign: Campaign, crowd: Crowd
    ) -> NDArray[np.int32]:
        """The item of each cardholder who is meant, -1 for the others, shape (n,)."""
        asked, now = self._ground.asked(issuer_id, campaign), self._ground.clock()
        if len(campaign.item_ids) > 1:
            return chosen_items(judge_all(model, asked, crowd, now), campaign)
        most = room(campaign, crowd.rows.size)
        items = np.full(crowd.rows.size, NOBODY, np.int32)
        if crowd.rewritten.places.size:  # the model's own vectors alone would not do
            items[best_rows(judge_all(model, asked, crowd, now), most)] = 0
            return items
        _, fallen = may_be_told(model, asked, crowd, now)
        items[best_for_item(model, asked, fallen.allowed, most).rows] = 0
        return items

    def _listed(
        self,
        issuer_id: str,
        campaign: Campaign,
        crowd: Crowd,
        items: NDArray[np.int32],
        before: NDArray[np.floating],
    ) -> list[Row]:
        meant, standings = np.flatnonzero(items != NOBODY), crowd.standings
        who = [crowd.cardholder_ids[row] for row in meant.tolist()]
        segments = [next(iter(profile.segments), "") for profile in standings.profiles]
        return list(
            zip(
                who,
                [campaign.item_ids[item] for item in items[meant].tolist()],
                (~self._book.holdout(issuer_id, campaign).holds_each(who)).tolist(),
                [segments[place] for place in standings.profile_of[meant].tolist()],
                before[meant].astype(np.float64).tolist(),
                strict=True,
            )
        )


def chosen_items(judged: Judged, campaign: Campaign) -> NDArray[np.int32]:
    """The one item of each cardholder who is meant, -1 for the others, shape (n,).

    Budgets count pushes that leave, so that both arms together may be that much larger.
    """
    n, n_items = judged.worth.shape
    worth = np.where(judged.fallen.allowed[:, None], judged.worth, np.float32(-np.inf))
    most = room(campaign, n)
    if campaign.budget.per_item is None and most >= n:
        return _best(worth)
    per_item = campaign.budget.per_item
    budget = n if per_item is None else both_arms(per_item, campaign.holdout_bps)
    finite = np.isfinite(worth)
    least = float(worth[finite].min()) if finite.any() else 0.0
    lifted = np.where(finite, worth - np.float32(least) + np.float32(1e-3), -np.inf)
    return assign(lifted.astype(np.float32), np.full(n_items, budget), most).items


def best_rows(judged: Judged, most: int) -> NDArray[np.int64]:
    """Whom the only item fits best, of those who may be told; at most so many, ties by row."""
    worth = np.where(judged.fallen.allowed, judged.worth[:, 0], np.float32(-np.inf))
    order = np.argsort(-worth, kind="stable")[:most]
    return order[np.isfinite(worth[order])]


def _best(worth: NDArray[np.float32]) -> NDArray[np.int32]:
    """The best item of each who may have any, ties by the item's place."""
    items = np.argmax(worth, axis=1).astype(np.int32)
    has_any = np.isfinite(worth[np.arange(items.size), items])
    return np.where(has_any, items, np.int32(NOBODY))
