"""Finds the reasons that are true of an item for a cardholder; at least one for each item."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from recsvc.domain.cardholder import Profile
from recsvc.domain.model import ServingModel
from recsvc.domain.naming import ItemNote
from recsvc.domain.popularity import EVERYONE
from recsvc.domain.question import Candidate, Reason, Source
from recsvc.domain.reasons.names import category_name
from recsvc.domain.reasons.texts import ReasonCode, like_merchant, plain_reasons, sentence
from recsvc.domain.taste import Taste

REGULAR_VISITS = 3
AFFINITY_VISITS = 4
MOST_REASONS = 2
LIKE_MERCHANT = ReasonCode.SIMILAR_TO_MERCHANT.value
PERSONAL, SIMILAR, POPULAR, NEW = Source.PERSONAL, Source.SIMILAR, Source.POPULAR, Source.NEW
PROMOTED, EXPLORATION = Source.PROMOTED, Source.EXPLORATION
Reasons = tuple[Reason, ...]
Alike = tuple[int, int]
"""A merchant column of his history, and his visits there."""


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
        self._plain = plain_reasons(locale)
        self._met = frozenset(taste.cells.keys.tolist())
        self._said_alike: dict[int, Reason] = {}
        self._fitting: dict[int | None, Reasons] = {None: (self._plain.fits,)}

    def of_all(self, candidates: Sequence[Candidate]) -> list[Reasons]:
        """One or two reasons of each candidate, the most telling first."""
        rows = [candidate.row for candidate in candidates]
        notes = map(self._model.notes.of, rows)
        if self._taste.vector is None:
            return list(map(self._of_anyone, candidates, notes))
        return list(map(self._personal, candidates, notes, self._alike(rows)))

    @cached_property
    def _visits(self) -> Mapping[int, int]:
        """His visits at each column of his history; most answers need none of them."""
        return self._taste.visits()

    def _personal(self, candidate: Candidate, note: ItemNote, alike: Alike | None) -> Reasons:
        """Reasons of a candidate for a cardholder whose history may be told."""
        is_usual = candidate.source is PERSONAL and not (note.is_benefit or note.is_sensitive)
        if is_usual and self._met.isdisjoint(note.columns):
            return self._fitting_like(alike)
        if note.is_sensitive:
            return self._of_anyone(candidate, note)
        found = self._of_history(candidate, note, alike)
        if len(found) == MOST_REASONS and self._announced(candidate.source) is None:
            return tuple(found)
        own = self._of_anyone(candidate, note)
        if self._announced(candidate.source) is None:
            return (*found, *own)[:MOST_REASONS]
        return (own[0], *found, *own[1:])[:MOST_REASONS]

    def _fitting_like(self, alike: Alike | None) -> Reasons:
        """That an offer fits him, and which merchant of his says so; the same for all like it."""
        column = None if alike is None else alike[0]
        found = self._fitting.get(column)
        if found is None and alike is not None:
            found = self._fitting[column] = (self._say_alike(*alike), self._plain.fits)
        return found or (self._plain.fits,)

    def _announced(self, source: Source) -> Reason | None:
        """What is told first of some sources, whatever else is true."""
        if source is PROMOTED:
            return self._plain.sponsored
        return self._plain.different if source is EXPLORATION else None

    def _of_anyone(self, candidate: Candidate, note: ItemNote) -> Reasons:
        """At most two reasons that tell nothing of his history."""
        card = self._of_card(note) if note.is_benefit else None
        own = self._announced(candidate.source)
        if own is not None:
            return (own,) if card is None else (own, card)
        own = self._of_source(candidate)
        return (own,) if card is None else (card, own)

    def _of_source(self, candidate: Candidate) -> Reason:
        """What the source alone tells."""
        if candidate.source is POPULAR:
            return self._popular(candidate.segment or EVERYONE)
        return self._plain.new if candidate.source is NEW else self._plain.fits

    def _of_history(
        self, candidate: Candidate, note: ItemNote, alike: Alike | None
    ) -> list[Reason]:
        """What he did at the item's merchant, in its category, or at one like it."""
        found: list[Reason] = []
        times = 0
        if not self._met.isdisjoint(note.columns):
            merchant, times = _most_visited(note.merchants, self._visits)
            category, often = _most_visited(note.categories, self._visits)
            if times:
                found.append(self._merchant(merchant, times))
            if often >= AFFINITY_VISITS:
                found.append(self._category(category, often, candidate.row))
        source = candidate.source
        if not times and alike is not None and (source is PERSONAL or source is SIMILAR):
            found.append(self._said_alike.get(alike[0]) or self._say_alike(*alike))
        return found

    def _alike(self, rows: list[int]) -> list[Alike | None]:
        """For each item, the merchant of his history that speaks most for it and may be named."""
        cells, bundle, space = self._taste.cells, self._model.bundle, self._model.space
        if bundle is None or cells.keys.size == 0 or not rows:
            return [None] * len(rows)
        told = self._model.naming.nameable_merchants(cells.keys)
        told &= cells.visits > 0
        vectors = bundle.model.factors.columns.take(cells.keys, axis=0, mode="clip")
        pulls = space.vectors.take(rows, axis=0) @ vectors.T
        pulls *= cells.strength * told  # nothing speaks for it that may not be named
        best, tops = pulls.argmax(axis=1).tolist(), pulls.max(axis=1).tolist()
        keys, visits = cells.keys.tolist(), cells.visits.tolist()
        return [
            (keys[place], visits[place]) if top > 0 else None
            for place, top in zip(best, tops, strict=True)
        ]

    def _say_alike(self, column: int, visits: int) -> Reason:
        name = self._model.naming.of(column)
        evidence = {"merchant_id": name.outside_id, "visits": visits}
        text = like_merchant(name.label, self._locale)
        said = self._said_alike[column] = Reason(LIKE_MERCHANT, text, (evidence,))
        return said

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

    def _of_card(self, note: ItemNote) -> Reason | None:
        """That a benefit is one of a card he holds; None when it is of others."""
        if not note.cards:
            return self._plain.of_card
        named = next((product for product in self._held if product in note.cards), None)
        if named is None:
            return None
        return self._say(ReasonCode.BENEFIT_OF_YOUR_CARD, {"card_product_id": named})

    def _popular(self, segment: str) -> Reason:
        """With whom the item is popular."""
        product, _, city = segment.rpartition("city:")
        if segment == EVERYONE:
            return self._plain.popular
        if segment.startswith("product:") and "|city:" not in segment:
            evidence = {"card_product_id": segment.removeprefix("product:")}
            return self._say(ReasonCode.POPULAR_WITH_CARD, evidence)
        code = ReasonCode.POPULAR_WITH_CARD_IN_CITY if product else ReasonCode.POPULAR_IN_CITY
        return self._say(code, {"city": city}, city=city)

    def _say(self, code: ReasonCode, evidence: Mapping[str, object], **words: object) -> Reason:
        return Reason(str(code), sentence(code, self._locale, **words), (evidence,))


def _most_visited(columns: tuple[int, ...], visits: Mapping[int, int]) -> tuple[int, int]:
    """The column he visits most and how often; the lower row of two alike."""
    best, most = 0, 0
    for column in columns:
        times = visits.get(column, 0)
        if times > most or (times == most and column < best):
            best, most = column, times
    return best, most
