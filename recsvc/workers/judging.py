"""Judges each push again at the moment of sending, as its cardholder and campaign stand now."""

from collections.abc import Sequence
from datetime import datetime

from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.campaign.sending import Addressee, Policy, Verdict, judge
from recsvc.domain.cardholder import CardholderState
from recsvc.domain.model import ServingModel
from recsvc.domain.moment import Moment
from recsvc.domain.ports import CardholderStates
from recsvc.domain.question import Question
from recsvc.domain.recommender import circumstances
from recsvc.domain.taste import taste_of
from recsvc.outreach.assembly import Outreach
from recsvc.stores.outreach.outbox import Push

Judged = list[tuple[Push, Campaign, Verdict]]
Log = Sequence[tuple[str, datetime]]


class PushJudge:
    """Says of pushes whether they may leave now.

    Parameters
    ----------
    outreach : the assembled parts
    states : of the cardholders whom pushes go to
    """

    def __init__(self, outreach: Outreach, states: CardholderStates) -> None:
        self._ground = outreach.ground
        self._pushes = outreach.pushes
        self._caps = outreach.caps
        self._states = states

    def judged(self, issuer_id: str, model: ServingModel, pushes: Sequence[Push]) -> Judged:
        """Pushes with their verdicts, campaigns of higher priority first."""
        campaigns = {one.campaign_id: one for one in self._ground.campaigns.all(issuer_id)}
        known = [push for push in pushes if push.campaign_id in campaigns]
        ids = [push.cardholder_id for push in known]
        states, logs = self._states.states_of(issuer_id, ids), self._pushes.logs(issuer_id, ids)
        now = self._ground.clock()
        found = [
            (push, campaign, self._verdict(issuer_id, model, campaign, (push, state, log), now))
            for push, state, log in zip(known, states, logs, strict=True)
            for campaign in (campaigns[push.campaign_id],)
        ]
        return sorted(found, key=lambda one: (-one[1].priority, one[0].push_id))

    def _verdict(
        self,
        issuer_id: str,
        model: ServingModel,
        campaign: Campaign,
        about: tuple[Push, CardholderState, Log],
        now: datetime,
    ) -> Verdict:
        push, state, log = about
        addressee = Addressee(
            push.cardholder_id,
            state.consent,
            self._ground.zones.of(issuer_id, state.profile.timezone),
            [at for channel, at in log if channel == campaign.channel.value],
            erased=state.erased,
            eligible=self._may_have(model, campaign, push, state, now),
        )
        policy = Policy(None, self._caps, (self._ground.book.everywhere(issuer_id),))
        holdout = self._ground.book.holdout(issuer_id, campaign)
        return judge(campaign, holdout, policy, addressee, now)

    def _may_have(
        self,
        model: ServingModel,
        campaign: Campaign,
        push: Push,
        state: CardholderState,
        now: datetime,
    ) -> bool:
        question = Question(
            request_id=push.push_id, cardholder_id=push.cardholder_id, channel=campaign.channel
        )
        asked = circumstances(state, question, Moment.of(now, self._ground.zone))
        return not model.tables.refusals(push.item_id, asked, taste_of(model, state).last_days)
