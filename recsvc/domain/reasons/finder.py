"""Finds the reasons that are true of an item for a cardholder; at least one for each item."""

from collections.abc import Iterator, Mapping
from functools import cache, cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from embeddings.vocabulary import ColumnKind
from recsvc.domain.cardholder import Profile
from recsvc.domain.model import ServingModel
from recsvc.domain.popularity import EVERYONE
from recsvc.domain.question import Candidate, Reason, Source
from recsvc.domain.reasons.texts import ReasonCode, category_name, sentence
from recsvc.domain.taste import Taste

REGULAR_VISITS = 3
AFFINITY_VISITS = 4
MOST_REASONS = 2
PERSONAL_SOURCES = frozenset({Source.PERSONAL, Source.SIMILAR})


class ReasonFinder:
    """Reasons of one answer.

    Parameters
    ----------
    model : ServingModel
    taste : Taste
        Without a vector nothing personal is ever said.
    profile : Profile
        With the city that the answer is for.
    locale : str, one that is served
    """

    def __init__(self, model: ServingModel, taste: Taste, profile: Profile, locale: str) -> None:
        self._model = model
        self._taste = taste
        self._held = [card.card_product_id for card in profile.card_products]
        self._locale = locale

    @cached_property
    def _visits(self) -> dict[int, int]:
        return self._taste.visits()

    @cached_property
    def _nameable(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Columns of the merchants of his history that may be named, and what each pulls by."""
        cells, bundle = self._taste.cells, self._model.bundle
        trained = (cells.keys < self._model.space.columns.n_trained) & (cells.visits > 0)
        names = ((c, self._model.naming.of(c)) for c in cells.keys[trained].tolist())
        kept = [c for c, name in names if name.kind is ColumnKind.MERCHANT and name.is_nameable]
        columns = np.array(kept, np.int64)
        if bundle is None or columns.size == 0:
            return columns[:0], np.empty((0, 0), np.float32)
        strength = cells.strength[np.searchsorted(cells.keys, columns)]
        return columns, np.asarray(bundle.model.factors.columns[columns]) * strength[:, None]

    def of(self, candidate: Candidate) -> tuple[Reason, ...]:
        """One or two reasons, the most telling first."""
        return tuple(islice(self._all(candidate), MOST_REASONS))

    def _all(self, candidate: Candidate) -> Iterator[Reason]:
        """Every reason that is true, the most telling first."""
        source = candidate.source
        if source is Source.PROMOTED:
            yield self._say(ReasonCode.SPONSORED)
        if source is Source.EXPLORATION:
            yield self._say(ReasonCode.SOMETHING_DIFFERENT)
        if self._taste.vector is not None:
            yield from self._of_history(candidate)
        yield from self._of_card(candidate.row)
        if source is Source.POPULAR:
            yield self._popular(candidate.segment or EVERYONE)
        if source in PERSONAL_SOURCES:
            yield self._say(ReasonCode.FITS_YOUR_HABITS)
        if source is Source.NEW:
            yield self._say(ReasonCode.NEW_OFFER)

    def _of_history(self, candidate: Candidate) -> Iterator[Reason]:
        """What he did at the item's merchant, in its category, or at one like it."""
        if self._model.naming.is_sensitive_item(candidate.row):
            return
        links = self._model.space.links[candidate.row]
        merchant, visits = self._most_visited(links.merchants)
        if visits:
            yield self._merchant(merchant, visits)
        category, times = self._most_visited(links.categories)
        if times >= AFFINITY_VISITS:
            yield self._category(category, times, candidate.row)
        if not visits and candidate.source in PERSONAL_SOURCES:
            yield from self._alike(candidate.row)

    def _most_visited(self, columns: tuple[int, ...]) -> tuple[int, int]:
        """The column he visits most and how often; the lower row of two alike."""
        best, most = 0, 0
        for column in columns:
            visits = self._visits.get(column, 0)
            if visits > most or (visits == most and column < best):
                best, most = column, visits
        return best, most

    def _merchant(self, column: int, visits: int) -> Reason:
        name = self._model.naming.of(column)
        code = ReasonCode.VISITED_MERCHANT
        if visits >= REGULAR_VISITS:
            code = ReasonCode.REGULAR_AT_MERCHANT
        evidence = {"merchant_id": name.outside_id, "visits": visits}
        return self._say(code, evidence, merchant=name.label, visits=visits)

    def _category(self, column: int, visits: int, row: int) -> Reason:
        label = category_name(self._model.catalog.items[row].category, self._locale)
        evidence = {"mcc": self._model.naming.of(column).outside_id, "visits": visits}
        return self._say(ReasonCode.CATEGORY_AFFINITY, evidence, category=label, visits=visits)

    def _alike(self, row: int) -> Iterator[Reason]:
        """The merchant of his history that speaks most for the item."""
        columns, pulling = self._nameable
        if columns.size == 0:
            return
        pulls = pulling @ self._model.space.vectors[row]
        best = int(np.argmax(pulls))
        if pulls[best] > 0:
            column = int(columns[best])
            name = self._model.naming.of(column)
            evidence = {"merchant_id": name.outside_id, "visits": self._visits[column]}
            yield self._say(ReasonCode.SIMILAR_TO_MERCHANT, evidence, merchant=name.label)

    def _of_card(self, row: int) -> Iterator[Reason]:
        """That the item is a benefit of a card he holds."""
        item = self._model.catalog.items[row]
        if item.kind != "benefit":
            return
        products = item.terms.card_products
        named = [product for product in self._held if product in products]
        if named or not products:
            evidence = [{"card_product_id": product} for product in named[:1]]
            yield self._say(ReasonCode.BENEFIT_OF_YOUR_CARD, *evidence)

    def _popular(self, segment: str) -> Reason:
        """With whom the item is popular."""
        product, _, city = segment.rpartition("city:")
        if segment == EVERYONE:
            return self._say(ReasonCode.POPULAR)
        if segment.startswith("product:") and "|city:" not in segment:
            evidence = {"card_product_id": segment.removeprefix("product:")}
            return self._say(ReasonCode.POPULAR_WITH_CARD, evidence)
        code = ReasonCode.POPULAR_WITH_CARD_IN_CITY if product else ReasonCode.POPULAR_IN_CITY
        return self._say(code, {"city": city}, city=city)

    def _say(self, code: ReasonCode, *evidence: Mapping[str, object], **words: object) -> Reason:
        if not evidence:
            return _plain(code, self._locale)
        return Reason(code.value, sentence(code, self._locale, **words), evidence)


@cache
def _plain(code: ReasonCode, locale: str) -> Reason:
    """A reason that says the same of everyone."""
    return Reason(code.value, sentence(code, locale))
