"""Which uses of an item a cardholder has: open activations, and redemptions.

Laws: the same set of events gives the same uses, whatever the order of arrival and however often
each came; a reversal brings back what was before the purchase; no use beyond his own cap.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from embeddings.catalog import Item
from recsvc.domain.cardholder import Profile
from recsvc.domain.lifecycle.activations import Activation, activations_of, remembered
from recsvc.domain.lifecycle.limits import capped
from recsvc.domain.lifecycle.pairing import pair
from recsvc.domain.lifecycle.past import Past
from recsvc.domain.lifecycle.spending import by_purchases, by_redemptions
from recsvc.domain.lifecycle.uses import Use, UseKind


def uses_of(
    item: Item,
    profile: Profile,
    past: Past,
    now: datetime,
    *,
    zone: tzinfo,
    recorded: Sequence[Use] = (),
) -> tuple[Use, ...]:
    """Uses of an item that follow from what is known, by day and then by id.

    Parameters
    ----------
    item : Item
    profile : Profile
    past : Past
    now : datetime, aware
    zone : tzinfo
        The issuer's.
    recorded : sequence of Use
        Uses on record; those whose events are no longer kept stay as they are, also where only
        their activation's is gone, and those that were earned under earlier terms, or an earlier
        profile, stay earned.
    """
    own = past.about(item.item_id)
    if not own and not recorded and item.terms.requires_activation:
        return ()
    known = frozenset([use.transaction_id for use in recorded if use.transaction_id])
    spent = by_purchases(item, profile, past, known, zone)
    open_: list[Activation] = []
    if own:
        spent += by_redemptions(item, own)
        open_ = activations_of(item, own)
    if not spent and not open_ and not recorded:
        return ()
    kept = [use for use in recorded if use.kind is not UseKind.HELD and not past.tells_of(use)]
    if recorded:
        used_up = {use.use_id for use in kept}
        told = [use for use in recorded if use not in kept]
        open_ = [a for a in open_ if a.event_id not in used_up]
        open_ += remembered(item, told, past, zone)
    paired = pair(spent, sorted(open_, key=lambda a: (a.at, a.event_id)), item, zone)
    live = [use for use in (*kept, *paired) if use.until is None or now < use.until]
    return capped(item, sorted(live, key=lambda use: (use.day, use.use_id)))
