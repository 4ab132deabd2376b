"""The life of a campaign as a marketer leads it: planned, launched, paused, cancelled."""

import itertools
import secrets
from collections.abc import Callable, Iterator

import numpy as np

from recsvc.domain.campaign.campaign import Campaign, State
from recsvc.domain.campaign.ids import lettered
from recsvc.domain.campaign.launch import Finding
from recsvc.domain.errors import ConflictError
from recsvc.outreach.checking import Checker
from recsvc.outreach.ground import Ground
from recsvc.stores.outreach.rosters import Meant


class NotReadyError(ConflictError):
    """A campaign may not go live; ``findings`` says why."""

    def __init__(self, campaign: Campaign, findings: tuple[Finding, ...]) -> None:
        super().__init__("not_launchable", "the campaign may not go live")
        self.campaign = campaign
        self.findings = findings


class CampaignDesk:
    """Leads campaigns.

    Parameters
    ----------
    ground : what outreach stands on
    checker : says what forbids a launch
    minimum : cardholders below which nothing is exported
    """

    def __init__(self, ground: Ground, checker: Checker, *, minimum: int) -> None:
        self._ground = ground
        self._store = ground.campaigns
        self._checker = checker
        self._minimum = minimum

    def create(self, issuer_id: str, plan: Callable[[str], Campaign]) -> Campaign:
        """Keep a draft under an id of its own; InvalidError names a field that makes no sense."""
        campaign = plan(f"cmp_{lettered(secrets.token_bytes(8))}")
        self._store.add(issuer_id, campaign)
        return campaign

    def get(self, issuer_id: str, campaign_id: str) -> Campaign:
        """A campaign as the clock leaves it; NotFoundError when there is none."""
        return self._store.get(issuer_id, campaign_id).ticked(self._ground.clock())

    def all(self, issuer_id: str) -> list[Campaign]:
        """All campaigns as the clock leaves them, by id."""
        return self._ground.all_campaigns(issuer_id)

    def launch(self, issuer_id: str, campaign_id: str) -> Campaign:
        """Let a campaign go live, or resume it.

        Raises
        ------
        NotReadyError
            Names everything that forbids it.
        ConflictError
            Its state forbids it.
        """
        campaign = self._store.get(issuer_id, campaign_id)
        launched = campaign.launched(self._ground.clock())
        found = self._checker.check(issuer_id, campaign).blockers
        if found:
            raise NotReadyError(campaign, found)
        self._store.replace(issuer_id, campaign, launched)
        return launched

    def move(self, issuer_id: str, campaign_id: str, state: State) -> Campaign:
        """Pause or cancel a campaign; felt by every push that has not left."""
        campaign = self._store.get(issuer_id, campaign_id)
        moved = campaign.ticked(self._ground.clock()).moved(state, self._ground.clock())
        self._store.replace(issuer_id, campaign, moved)
        return moved

    def audience(self, issuer_id: str, campaign_id: str) -> Iterator[Meant]:
        """Cardholders whom a campaign addresses, less the holdout and who has withdrawn since.

        Raises
        ------
        ConflictError
            ``not_drawn_up`` before the dispatcher drew up the roster, ``audience_below_minimum``
            for one that is too small to be told.
        """
        campaign = self._store.get(issuer_id, campaign_id)
        if not self._ground.rosters.has(issuer_id, campaign_id):
            raise ConflictError(
                "not_drawn_up",
                "not drawn up yet: once launched, a running dispatcher does so within seconds",
            )
        told = self._treated(issuer_id, campaign)
        first = list(itertools.islice(told, self._minimum))
        if len(first) < self._minimum:
            raise ConflictError(
                "audience_below_minimum", f"fewer than {self._minimum} cardholders are never told"
            )
        return itertools.chain(first, told)

    def _treated(self, issuer_id: str, campaign: Campaign) -> Iterator[Meant]:
        """Those who may still be addressed, part by part."""
        channel = campaign.channel.value
        for part in self._ground.rosters.meant(issuer_id, campaign.campaign_id):
            ids = [one.cardholder_id for one in part]
            standings = self._ground.standings.read(issuer_id, ids, channel)
            allowed = standings.consents & ~standings.erased
            for row in np.flatnonzero(allowed).tolist():
                if part[row].treated:
                    yield part[row]
