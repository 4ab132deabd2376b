"""An estimate is made by one model from its beginning to its end."""

from dataclasses import replace

from embeddings.catalog import Channel
from recsvc.domain.campaign.campaign import Audience
from recsvc.domain.model import ModelSlot, ServingModel
from recsvc.outreach.estimating import Estimator
from recsvc.outreach.selection import Asked
from recsvc.stores.assembly import Stores
from recsvc.stores.outreach.disclosures import DisclosureStore
from tests.bundles import checkerboard
from tests.outreach import ISSUER, Town
from tests.worlds import a_model, bundle_of


class Hasty(ModelSlot):
    """A slot in which a new model follows the moment after one was asked for."""

    def __init__(self, first: ServingModel, then: ServingModel) -> None:
        super().__init__()
        self.swap(first)
        self._then = then

    def current(self, issuer_id: str) -> ServingModel | None:
        found = super().current(issuer_id)
        self.swap(self._then)
        return found


def test_an_estimate_goes_on_with_its_model_while_a_smaller_one_takes_its_place(
    stores: Stores,
) -> None:
    town = Town.of(stores, 400)
    first = town.slot.current(ISSUER)
    assert first is not None
    smaller = a_model(bundle=bundle_of(checkerboard(40)))
    ground = replace(town.outreach.ground, slot=Hasty(first, smaller))
    estimator = Estimator(
        ground,
        pushes=town.outreach.pushes,
        disclosures=DisclosureStore(stores.durable),
        caps=(),
        minimum=50,
    )
    asked = Asked(
        item_ids=("offer_0",),
        channel=Channel.PUSH,
        audience=Audience(),
        zone=ground.zone,
        zones=ground.zones,
    )

    assert estimator.estimate(ISSUER, asked).matched == 400
    assert ground.slot.current(ISSUER) is smaller
