"""A campaign: the plan and its life cycle."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from embeddings.catalog import Channel, Money
from recsvc.domain.campaign.pressure import FrequencyCap
from recsvc.domain.campaign.quiet import QuietHours
from recsvc.domain.errors import ConflictError, InvalidError

MAX_ITEMS = 200
MAX_HOLDOUT_BPS = 5_000
FIRST_YEAR, LAST_YEAR = 2000, 2199
LONGEST = timedelta(days=366)
PUSH_CHANNELS = frozenset((Channel.PUSH, Channel.EMAIL, Channel.SMS))


class State(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    CANCELLED = "cancelled"


MOVES: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset((State.SCHEDULED, State.LIVE, State.CANCELLED)),
    State.SCHEDULED: frozenset((State.LIVE, State.PAUSED, State.CANCELLED)),
    State.LIVE: frozenset((State.PAUSED, State.ENDED, State.CANCELLED)),
    State.PAUSED: frozenset((State.SCHEDULED, State.LIVE, State.ENDED, State.CANCELLED)),
    State.ENDED: frozenset(),
    State.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a campaign means, before consent, caps and holdout.

    Parameters
    ----------
    size : int          the most cardholders; None for all who match
    min_score : float   the least fit; None for any
    segments : tuple of str   the issuer's own; empty for all
    filter : str        rule over scores of cardholders; None for none
    """

    size: int | None = None
    min_score: float | None = None
    segments: tuple[str, ...] = ()
    filter: str | None = None

    def __post_init__(self) -> None:
        """Refuse an audience of nobody."""
        if self.size is not None and not 1 <= self.size <= 10**9:
            raise InvalidError("/audience/size", "must be from 1 to 1000000000")


@dataclass(frozen=True, slots=True)
class PushBudget:
    """What a campaign may use.

    Parameters
    ----------
    pushes : int           the most pushes; None for as many as the audience
    amount : Money         the most that rewards may cost; None for the items' own budgets alone
    per_item : int         the most pushes of one item; None for no such limit
    """

    pushes: int | None = None
    amount: Money | None = None
    per_item: int | None = None

    def __post_init__(self) -> None:
        """Refuse budgets below 1."""
        for name, limit in (("pushes", self.pushes), ("per_item", self.per_item)):
            if limit is not None and limit < 1:
                raise InvalidError(f"/budget/{name}", "must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A plan to reach cardholders with items; a value, changed only by its own moves.

    Parameters
    ----------
    campaign_id, name : str
    item_ids : tuple of str    1 to ``MAX_ITEMS``, each once
    channel : Channel          push, email or sms
    starts_at, ends_at : aware instants, half-open window
    holdout_bps : int          0 to ``MAX_HOLDOUT_BPS``
    frequency_cap : of this campaign, beside the issuer's own
    priority : int             who goes first when a cardholder's cap has room for one
    pia_ref : str              the impact assessment (PIPL 55); needed to launch
    moved_at : when it first came to each state
    """

    campaign_id: str
    name: str
    item_ids: tuple[str, ...]
    channel: Channel
    starts_at: datetime
    ends_at: datetime
    audience: Audience = Audience()
    holdout_bps: int = 1_000
    frequency_cap: FrequencyCap | None = None
    quiet_hours: QuietHours = field(default_factory=QuietHours)
    budget: PushBudget = PushBudget()
    priority: int = 0
    pia_ref: str | None = None
    state: State = State.DRAFT
    revision: int = 0
    moved_at: Mapping[State, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what is no campaign, naming the field."""
        self._check_items()
        if self.channel not in PUSH_CHANNELS:
            raise InvalidError("/channel", "must be push, email or sms")
        self._check_window()
        if not 0 <= self.holdout_bps <= MAX_HOLDOUT_BPS:
            raise InvalidError("/holdout_bps", f"must be from 0 to {MAX_HOLDOUT_BPS}")

    def _check_window(self) -> None:
        for name, instant in (("starts_at", self.starts_at), ("ends_at", self.ends_at)):
            if instant.tzinfo is None:
                raise InvalidError(f"/{name}", "must have an offset")
            if not FIRST_YEAR <= instant.year <= LAST_YEAR:
                raise InvalidError(f"/{name}", f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
        if self.starts_at >= self.ends_at:
            raise InvalidError("/ends_at", "must be after starts_at")
        if self.ends_at - self.starts_at > LONGEST:
            raise InvalidError("/ends_at", f"must be at most {LONGEST.days} days after starts_at")

    def _check_items(self) -> None:
        if not 1 <= len(self.item_ids) <= MAX_ITEMS:
            raise InvalidError("/item_ids", f"must name 1 to {MAX_ITEMS} items")
        if len(set(self.item_ids)) < len(self.item_ids):
            raise InvalidError("/item_ids", "names an item twice")

    def moved(self, state: State, at: datetime) -> Self:
        """The campaign after a move of its life cycle.

        Raises
        ------
        ConflictError
            ``wrong_state``; the message names where it stands and where it may go.
        """
        if state not in MOVES[self.state]:
            ways = ", ".join(sorted(MOVES[self.state])) or "nowhere; make a new campaign"
            raise ConflictError(
                "wrong_state", f"a {self.state.value} campaign can go to {ways}, not {state.value}"
            )
        marks = {state: at, **self.moved_at}
        return replace(self, state=state, revision=self.revision + 1, moved_at=marks)

    def launched(self, at: datetime) -> Self:
        """The campaign after its launch: live within its window, scheduled before it.

        Raises
        ------
        ConflictError
            ``window_over`` when it has ended before it began, ``wrong_state`` as in :meth:`moved`.
        """
        if at >= self.ends_at:
            raise ConflictError("window_over", "ends_at has passed; set a later one")
        return self.moved(State.LIVE if at >= self.starts_at else State.SCHEDULED, at)

    def ticked(self, at: datetime) -> Self:
        """The campaign as the clock leaves it: a scheduled one begins, a live one ends."""
        now = self
        if now.state is State.SCHEDULED and at >= now.starts_at:
            now = now.moved(State.LIVE, at)
        if now.state in (State.LIVE, State.PAUSED) and at >= now.ends_at:
            now = now.moved(State.ENDED, at)
        return now

    def may_send(self, at: datetime) -> bool:
        """Whether pushes of it may leave at this instant."""
        return self.state is State.LIVE and self.starts_at <= at < self.ends_at

    def may_resume(self, at: datetime) -> bool:
        """Whether pushes that may not leave now may do so later."""
        return self.state in (State.PAUSED, State.SCHEDULED) and at < self.ends_at

    def overlaps(self, other: "Campaign") -> bool:
        """Whether both may speak on one channel at one time of one item."""
        return (
            self.campaign_id != other.campaign_id
            and self.channel is other.channel
            and self.starts_at < other.ends_at
            and other.starts_at < self.ends_at
            and not {*self.item_ids}.isdisjoint(other.item_ids)
        )
