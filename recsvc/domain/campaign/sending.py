"""The judgement at the moment of sending: what was true at selection may no longer be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from recsvc.domain.campaign.campaign import Campaign
from recsvc.domain.campaign.holdout import Holdout, is_held_out
from recsvc.domain.campaign.pressure import FrequencyCap, allowed_by_all
from recsvc.domain.cardholder import Consent

PAUSE = timedelta(minutes=5)
"""How long a push of a paused campaign waits before it is judged again."""


class Refusal(StrEnum):
    """Why a push does not leave; a push refused for another reason than the hour never does."""

    CAMPAIGN_NOT_LIVE = "campaign_not_live"
    ERASED = "erased"
    NO_CONSENT = "no_consent"
    OUTDATED_CONSENT = "outdated_consent"
    HOLDOUT = "holdout"
    NOT_ELIGIBLE = "not_eligible"
    FREQUENCY_CAP = "frequency_cap"
    QUIET_HOURS = "quiet_hours"


@dataclass(frozen=True, slots=True)
class Addressee:
    """What must be known of a cardholder to send him something now.

    Parameters
    ----------
    cardholder_id : str
    consent : Consent       off when the store is away
    zone : ZoneInfo         his own
    sent_at : instants of pushes that he got on this channel, of all campaigns
    erased : bool
    eligible : bool         by the item's terms, judged now
    """

    cardholder_id: str
    consent: Consent
    zone: ZoneInfo
    sent_at: Sequence[datetime] = ()
    erased: bool = False
    eligible: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a push.

    Parameters
    ----------
    refusal : why it does not leave now; None when it does
    again_at : when to ask again; None when never
    """

    refusal: Refusal | None = None
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What an issuer holds every push to.

    Parameters
    ----------
    purpose_version : version of the notice that consent must refer to; None accepts any
    caps : over all campaigns of one channel
    holdouts : the global one
    """

    purpose_version: str | None = None
    caps: tuple[FrequencyCap, ...] = ()
    holdouts: tuple[Holdout, ...] = ()


def judge(
    campaign: Campaign, holdout: Holdout, policy: Policy, addressee: Addressee, at: datetime
) -> Verdict:
    """Whether a push may leave now; every rule is asked, the first that refuses is the answer."""
    refusal = _refusal(campaign, holdout, policy, addressee, at)
    if refusal is Refusal.CAMPAIGN_NOT_LIVE and campaign.may_resume(at):
        return Verdict(refusal, at + PAUSE)
    if refusal is not Refusal.QUIET_HOURS:
        return Verdict(refusal)
    again_at = campaign.quiet_hours.next_sending_at(at, addressee.zone)
    return Verdict(refusal, again_at if again_at < campaign.ends_at else None)


def _refusal(
    campaign: Campaign, holdout: Holdout, policy: Policy, addressee: Addressee, at: datetime
) -> Refusal | None:
    caps = (*policy.caps, *((campaign.frequency_cap,) if campaign.frequency_cap else ()))
    held = is_held_out(addressee.cardholder_id, (holdout, *policy.holdouts))
    rules = (
        (Refusal.ERASED, not addressee.erased),
        (Refusal.CAMPAIGN_NOT_LIVE, campaign.may_send(at)),
        (Refusal.NO_CONSENT, _consents(addressee.consent, campaign)),
        (Refusal.OUTDATED_CONSENT, _is_current(addressee.consent, policy.purpose_version)),
        (Refusal.HOLDOUT, not held),
        (Refusal.NOT_ELIGIBLE, addressee.eligible),
        (Refusal.FREQUENCY_CAP, allowed_by_all(caps, addressee.sent_at, at)),
        (Refusal.QUIET_HOURS, not campaign.quiet_hours.silence(at, addressee.zone)),
    )
    return next((refusal for refusal, holds in rules if not holds), None)


def _consents(consent: Consent, campaign: Campaign) -> bool:
    """Both to be chosen by his traits and to be addressed on this channel (PIPL 24)."""
    return consent.personalisation and consent.marketing.get(campaign.channel.value, False)


def _is_current(consent: Consent, purpose_version: str | None) -> bool:
    """A new purpose asks anew (PIPL 14)."""
    return purpose_version is None or consent.purpose_version == purpose_version
