"""All cardholders of a model judged for the items of a campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from embeddings.catalog import Channel
from recsvc.domain.audience.filters import names_of, parse_rule
from recsvc.domain.audience.ranking import Ranked, rank_cardholders
from recsvc.domain.audience.waterfall import Exclusion, Waterfall, waterfall
from recsvc.domain.campaign.campaign import Audience
from recsvc.domain.campaign.holdout import Holdout
from recsvc.domain.campaign.quiet import QuietHours
from recsvc.domain.cardholder import Profile
from recsvc.domain.eligibility import Circumstances
from recsvc.domain.errors import NotFoundError
from recsvc.domain.model import ServingModel
from recsvc.domain.moment import Moment
from recsvc.domain.zones import Zones
from recsvc.outreach.rewriting import Rewritten
from recsvc.stores.people.standings import Standings

BLOCK_ROWS = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom a marketer asks for.

    Parameters
    ----------
    item_ids : at least one
    channel : Channel
    audience : Audience
    holdouts : who is left out
    quiet_hours : QuietHours
    window : when pushes may leave; None for any time
    filter_pointer : where the filter stands in what was sent, for the error
    zone : in which the days of terms are counted
    zones : in which quiet hours are kept, each cardholder's own
    """

    item_ids: tuple[str, ...]
    channel: Channel
    audience: Audience
    zone: ZoneInfo
    zones: Zones
    holdouts: tuple[Holdout, ...] = ()
    quiet_hours: QuietHours = field(default_factory=QuietHours)
    window: tuple[datetime, datetime] | None = None
    filter_pointer: str = "/audience/filter"


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Cardholders to be judged, and what is known of them, all in one order.

    Parameters
    ----------
    rows : int64, shape (n,)    cardholder rows of the model
    cardholder_ids : n ids
    standings : Standings
    capped : bool, shape (n,)   whose frequency cap has no room now
    rewritten : Rewritten       vectors of those who deleted interests
    """

    rows: NDArray[np.int64]
    cardholder_ids: Sequence[str]
    standings: Standings
    capped: NDArray[np.bool_]
    rewritten: Rewritten


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Cardholders and what each item is worth to each.

    Parameters
    ----------
    rows : int64, shape (n,)             cardholder rows of the model
    worth : float32, shape (n, n_items)  score; -inf where the cardholder may not have the item
    fallen : Waterfall                   up to and with the score
    """

    rows: NDArray[np.int64]
    worth: NDArray[np.float32]
    fallen: Waterfall


def judge_all(model: ServingModel, asked: Asked, crowd: Crowd, now: datetime) -> Judged:
    """Judge cardholders for items, in the waterfall's order.

    Raises
    ------
    NotFoundError
        The catalogue has no such item, or there is no model to rank with.
    InvalidError
        The audience's filter is no rule over the model's scores.
    """
    eligible, fallen = may_be_told(model, asked, crowd, now)
    worth = np.where(eligible, _scores(model, asked, crowd), np.float32(-np.inf))
    least = asked.audience.min_score
    enough = np.isfinite(worth) & (worth >= np.float32(-np.inf if least is None else least))
    reached = np.logical_or.reduce(enough, axis=1, dtype=np.bool_)
    fallen = fallen.then(Exclusion.BELOW_SCORE, reached)
    return Judged(crowd.rows, np.where(enough, worth, -np.inf), fallen)


def may_be_told(
    model: ServingModel, asked: Asked, crowd: Crowd, now: datetime
) -> tuple[NDArray[np.bool_], Waterfall]:
    """Everything but the score: who may have which item, and where each cardholder fell.

    Returns
    -------
    eligible : bool, shape (n, n_items)
    fallen : Waterfall

    Raises
    ------
    NotFoundError, InvalidError
        As :func:`judge_all`.
    """
    standings = crowd.standings
    eligible = _eligible(model, asked, standings, now)
    held = np.zeros(crowd.rows.size, np.bool_)
    for holdout in asked.holdouts:
        held |= holdout.holds_each(crowd.cardholder_ids)
    passes: dict[Exclusion, NDArray[np.bool_]] = {
        Exclusion.NO_CONSENT: standings.consents,
        Exclusion.ERASED: ~standings.erased,
        Exclusion.NOT_IN_SEGMENT: _in_segments(asked.audience.segments, standings),
        Exclusion.NOT_ELIGIBLE: np.logical_or.reduce(eligible, axis=1, dtype=np.bool_),
        Exclusion.NOT_IN_FILTER: _in_filter(model, asked, crowd.rows),
        Exclusion.FREQUENCY_CAP: ~crowd.capped,
        Exclusion.QUIET_HOURS: _can_speak(model.issuer_id, asked, standings),
        Exclusion.HOLDOUT: ~held,
    }
    return eligible, waterfall(crowd.rows.size, passes)


def best_for_item(
    model: ServingModel, asked: Asked, allowed: NDArray[np.bool_], size: int
) -> Ranked:
    """The cardholders whom the only item fits best, of all of the model, in one pass.

    Parameters
    ----------
    allowed : bool, shape (n_cardholders,)   who may be told
    size : int                               the most that are wanted
    """
    if model.bundle is None:
        raise NotFoundError
    (pull,) = model.space.pulls[item_rows(model, asked.item_ids)]
    least, factors = asked.audience.min_score, model.bundle.model.factors.cardholders
    min_score = None if least is None else least - float(pull[-1])
    return rank_cardholders(factors, pull[:-1], allowed, size=size, min_score=min_score)


def item_rows(model: ServingModel, item_ids: Sequence[str]) -> NDArray[np.int64]:
    """Catalogue rows of items; NotFoundError when one is not there."""
    rows = [model.catalog.row(item_id) for item_id in item_ids]
    if any(row is None for row in rows):
        raise NotFoundError
    return np.array(rows, np.int64)


def _scores(model: ServingModel, asked: Asked, crowd: Crowd) -> NDArray[np.float32]:
    """Scores of cardholders and items as in his own list, shape (n, n_items)."""
    if model.bundle is None:
        raise NotFoundError
    factors, rows = model.bundle.model.factors.cardholders, crowd.rows
    pulls = model.space.pulls[item_rows(model, asked.item_ids)]
    found = np.empty((rows.size, pulls.shape[0]), np.float32)
    for start in range(0, rows.size, BLOCK_ROWS):
        part = rows[start : start + BLOCK_ROWS]
        found[start : start + part.size] = factors[part] @ pulls[:, :-1].T + pulls[:, -1]
    places, vectors = crowd.rewritten
    found[places] = vectors @ pulls[:, :-1].T + pulls[:, -1]
    return found


def _eligible(
    model: ServingModel, asked: Asked, standings: Standings, now: datetime
) -> NDArray[np.bool_]:
    """Who may have which item by its terms, shape (n, n_items).

    Judged once for each distinct profile. What a cardholder did himself (used up, dismissed,
    bought lately) is judged when the push leaves.
    """
    columns = item_rows(model, asked.item_ids)
    at = max(now, asked.window[0]) if asked.window else now
    moment = Moment.of(at, asked.zone)
    masks = np.zeros((max(len(standings.profiles), 1), columns.size), np.bool_)
    for number, profile in enumerate(standings.profiles):
        masks[number] = model.tables.mask(_circumstances(profile, asked, moment))[columns]
    return masks[standings.profile_of]


def _circumstances(profile: Profile, asked: Asked, moment: Moment) -> Circumstances:
    return Circumstances(
        moment=moment,
        profile=profile,
        channel=asked.channel,
        sees_segments=True,
        sees_history=True,
    )


def _in_segments(segments: Sequence[str], standings: Standings) -> NDArray[np.bool_]:
    """Who is in one of the segments; everybody when none is named."""
    if not segments:
        return np.ones(standings.profile_of.size, np.bool_)
    wanted = frozenset(segments)
    inside = [not wanted.isdisjoint(profile.segments) for profile in standings.profiles]
    return np.array(inside or [False], np.bool_)[standings.profile_of]


def _in_filter(model: ServingModel, asked: Asked, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Who passes the rule over scores; percentiles are over all cardholders of the model."""
    rule = asked.audience.filter
    if rule is None:
        return np.ones(rows.size, np.bool_)
    scores: Mapping[str, NDArray[np.float32]] = model.bundle.model.scores if model.bundle else {}
    parsed = parse_rule(rule, frozenset(scores), pointer=asked.filter_pointer)
    needed = {name: np.asarray(scores[name]) for name in names_of(parsed)}
    return parsed.passes(needed)[rows]


def _can_speak(issuer_id: str, asked: Asked, standings: Standings) -> NDArray[np.bool_]:
    """Whose own clock shows any instant of the window outside quiet hours, shape (n,)."""
    if asked.window is None:
        return np.ones(standings.profile_of.size, np.bool_)
    starts_at, ends_at = asked.window
    speaks = {
        name: asked.quiet_hours.next_sending_at(starts_at, asked.zones.of(issuer_id, name))
        < ends_at
        for name in {profile.timezone for profile in standings.profiles}
    }
    by_profile = [speaks[profile.timezone] for profile in standings.profiles]
    return np.array(by_profile or [True], np.bool_)[standings.profile_of]
