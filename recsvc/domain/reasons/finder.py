"""Finds the reasons that are true of an item for a cardholder; at least one for each item."""

from collections.abc import Iterator, Mapping

import numpy as np

from embeddings.vocabulary import ColumnKind, split_column_id
from recsvc.domain.cardholder import Profile
from recsvc.domain.model import ServingModel
from recsvc.domain.popularity import EVERYONE
from recsvc.domain.question import Candidate, Reason, Source
from recsvc.domain.reasons.sensitive import is_sensitive
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
        self._profile = profile
        self._locale = locale
        self._nameable: dict[int, bool] = {}

    def of(self, candidate: Candidate) -> tuple[Reason, ...]:
        """One or two reasons, the most telling first."""
        found = []
        for reason in self._all(candidate):
            found.append(reason)
            if len(found) == MOST_REASONS:
                break
        return tuple(found)

    def _all(self, candidate: Candidate) -> Iterator[Reason]:
        """Every reason that is true, the most telling first."""
        if candidate.source is Source.PROMOTED:
            yield self._say(ReasonCode.SPONSORED)
        if candidate.source is Source.EXPLORATION:
            yield self._say(ReasonCode.SOMETHING_DIFFERENT)
        if self._taste.vector is not None and not self._is_sensitive_item(candidate.row):
            yield from self._of_history(candidate)
        yield from self._of_card(candidate.row)
        if candidate.source is Source.POPULAR:
            yield self._popular(candidate.segment or EVERYONE)
        if candidate.source in PERSONAL_SOURCES:
            yield self._say(ReasonCode.FITS_YOUR_HABITS)
        if candidate.source is Source.NEW:
            yield self._say(ReasonCode.NEW_OFFER)

    def _of_history(self, candidate: Candidate) -> Iterator[Reason]:
        """What he did at the item's merchant, in its category, or at one like it."""
        merchants = list(self._merchants(candidate.row))
        yield from merchants
        yield from self._category(candidate.row)
        if not merchants and candidate.source in PERSONAL_SOURCES:
            yield from self._alike(candidate.row)

    def _merchants(self, row: int) -> Iterator[Reason]:
        """His visits at the item's merchants: the one he visits most."""
        visited = [(self._taste.visits(m), -m) for m in self._model.space.links[row].merchants]
        visits, negative = max(visited, default=(0, 0))
        if visits == 0 or not self._may_name(-negative):
            return
        regular = visits >= REGULAR_VISITS
        code = ReasonCode.REGULAR_AT_MERCHANT if regular else ReasonCode.VISITED_MERCHANT
        evidence = {"merchant_id": self._outside_id(-negative), "visits": visits}
        yield self._say(code, evidence, merchant=self._model.label(-negative), visits=visits)

    def _category(self, row: int) -> Iterator[Reason]:
        """His visits in the item's categories: the one he visits most."""
        visited = [(self._taste.visits(c), -c) for c in self._model.space.links[row].categories]
        visits, negative = max(visited, default=(0, 0))
        if visits < AFFINITY_VISITS or not self._may_name(-negative):
            return
        label = category_name(self._model.catalog.items[row].category, self._locale)
        evidence = {"mcc": self._outside_id(-negative), "visits": visits}
        yield self._say(ReasonCode.CATEGORY_AFFINITY, evidence, category=label, visits=visits)

    def _alike(self, row: int) -> Iterator[Reason]:
        """The merchant of his history that speaks most for the item."""
        bundle, cells = self._model.bundle, self._taste.cells
        if bundle is None:
            return
        trained = np.flatnonzero(cells.keys < self._model.space.columns.n_trained)
        columns = cells.keys[trained]
        pulls = np.asarray(bundle.model.factors.columns[columns]) @ self._model.space.vectors[row]
        pulls = pulls * cells.strength[trained]
        for place in np.lexsort((columns, -pulls)).tolist():
            column, visits = int(columns[place]), int(cells.visits[trained[place]])
            if pulls[place] <= 0:
                return
            if visits > 0 and self._is_merchant(column) and self._may_name(column):
                evidence = {"merchant_id": self._outside_id(column), "visits": visits}
                label = self._model.label(column)
                yield self._say(ReasonCode.SIMILAR_TO_MERCHANT, evidence, merchant=label)
                return

    def _of_card(self, row: int) -> Iterator[Reason]:
        """That the item is a benefit of a card he holds."""
        item = self._model.catalog.items[row]
        products = item.terms.card_products
        held = [c.card_product_id for c in self._profile.card_products]
        named = [product for product in held if product in products]
        if item.kind == "benefit" and (named or not products):
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

    def _is_sensitive_item(self, row: int) -> bool:
        """Whether a personal reason beside this item could tell of something sensitive."""
        item = self._model.catalog.items[row]
        codes = [
            *item.categories(),
            *map(self._outside_id, self._model.space.links[row].categories),
        ]
        return is_sensitive(codes, (item.category,))

    def _may_name(self, column: int) -> bool:
        """Whether a merchant or category may stand in a reason."""
        if column not in self._nameable:
            category = self._model.category_row(column)
            codes = [self._outside_id(c) for c in (column, category) if c is not None]
            names = [self._model.label(c) for c in (column, category) if c is not None]
            self._nameable[column] = not is_sensitive(codes[-1:], names)
        return self._nameable[column]

    def _is_merchant(self, column: int) -> bool:
        return split_column_id(self._model.space.columns.name(column))[0] is ColumnKind.MERCHANT

    def _outside_id(self, column: int) -> str:
        return split_column_id(self._model.space.columns.name(column))[1]

    def _say(self, code: ReasonCode, *evidence: Mapping[str, object], **words: object) -> Reason:
        return Reason(code.value, sentence(code, self._locale, **words), evidence)
