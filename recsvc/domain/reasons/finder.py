"""Finds the reasons that are true of an item for a cardholder; at least one for each item."""

from collections.abc import Mapping, Sequence
from functools import cache

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
ANNOUNCED = {
    Source.PROMOTED: ReasonCode.SPONSORED,
    Source.EXPLORATION: ReasonCode.SOMETHING_DIFFERENT,
}
"""Sources that are told first, whatever else is true."""


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

    def of_all(self, candidates: Sequence[Candidate]) -> list[tuple[Reason, ...]]:
        """One or two reasons of each candidate, the most telling first."""
        if self._taste.vector is None:
            return [self._of_anyone(candidate) for candidate in candidates]
        visits = self._taste.visits()
        alike = self._alike([candidate.row for candidate in candidates])
        return [
            self._personal(candidate, visits, column)
            for candidate, column in zip(candidates, alike, strict=True)
        ]

    def _personal(
        self, candidate: Candidate, visits: Mapping[int, int], alike: int | None
    ) -> tuple[Reason, ...]:
        """Reasons of a candidate for a cardholder whose history may be told."""
        if self._model.naming.is_sensitive_item(candidate.row):
            return self._of_anyone(candidate)
        found = self._of_history(candidate, visits, alike)
        if candidate.source in ANNOUNCED:
            own = self._of_anyone(candidate)
            found = [own[0], *found, *own[1:]]
        elif len(found) < MOST_REASONS:
            found += self._of_anyone(candidate)
        return tuple(found[:MOST_REASONS])

    def _of_anyone(self, candidate: Candidate) -> tuple[Reason, ...]:
        """At most two reasons that tell nothing of his history."""
        source = candidate.source
        card = self._of_card(candidate.row)
        if source in ANNOUNCED:
            own = _plain(ANNOUNCED[source], self._locale)
            return (own,) if card is None else (own, card)
        if source is Source.POPULAR:
            own = self._popular(candidate.segment or EVERYONE)
        else:
            fits = ReasonCode.NEW_OFFER if source is Source.NEW else ReasonCode.FITS_YOUR_HABITS
            own = _plain(fits, self._locale)
        return (own,) if card is None else (card, own)

    def _of_history(
        self, candidate: Candidate, visits: Mapping[int, int], alike: int | None
    ) -> list[Reason]:
        """What he did at the item's merchant, in its category, or at one like it."""
        links = self._model.space.links[candidate.row]
        found = []
        merchant, times = _most_visited(links.merchants, visits)
        if times:
            found.append(self._merchant(merchant, times))
        category, often = _most_visited(links.categories, visits)
        if often >= AFFINITY_VISITS:
            found.append(self._category(category, often, candidate.row))
        if not times and alike is not None and candidate.source in PERSONAL_SOURCES:
            found.append(self._say_alike(alike, visits[alike]))
        return found

    def _alike(self, rows: list[int]) -> list[int | None]:
        """For each item, the merchant of his history that speaks most for it and may be named."""
        cells, bundle, space = self._taste.cells, self._model.bundle, self._model.space
        told = (cells.keys < space.columns.n_trained) & (cells.visits > 0)
        columns = cells.keys[told]
        nameable = self._model.naming.nameable_merchants(columns)
        columns = columns[nameable]
        if bundle is None or columns.size == 0 or not rows:
            return [None] * len(rows)
        pulls = space.vectors[rows] @ bundle.model.factors.columns[columns].T
        pulls *= cells.strength[told][nameable]
        best = pulls.argmax(axis=1)
        tops = pulls.max(axis=1) > 0
        return [
            column if top else None
            for column, top in zip(columns[best].tolist(), tops.tolist(), strict=True)
        ]

    def _say_alike(self, column: int, visits: int) -> Reason:
        name = self._model.naming.of(column)
        evidence = {"merchant_id": name.outside_id, "visits": visits}
        return self._say(ReasonCode.SIMILAR_TO_MERCHANT, evidence, merchant=name.label)

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

    def _of_card(self, row: int) -> Reason | None:
        """That the item is a benefit of a card he holds; None when it is not."""
        item = self._model.catalog.items[row]
        if item.kind != "benefit":
            return None
        products = item.terms.card_products
        named = [product for product in self._held if product in products]
        if not named and products:
            return None
        evidence = [{"card_product_id": product} for product in named[:1]]
        return self._say(ReasonCode.BENEFIT_OF_YOUR_CARD, *evidence)

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


def _most_visited(columns: tuple[int, ...], visits: Mapping[int, int]) -> tuple[int, int]:
    """The column he visits most and how often; the lower row of two alike."""
    best, most = 0, 0
    for column in columns:
        times = visits.get(column, 0)
        if times > most or (times == most and column < best):
            best, most = column, times
    return best, most


@cache
def _plain(code: ReasonCode, locale: str) -> Reason:
    """A reason that says the same of everyone."""
    return Reason(code.value, sentence(code, locale))
