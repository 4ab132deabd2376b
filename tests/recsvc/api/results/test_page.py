"""The page of results: what finance reads, and what a browser may do with it."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from embeddings.catalog import Channel
from recsvc.api.results.page import results_page
from recsvc.api.results.parts import STYLE, policy
from recsvc.api.results.words import Spelling, verdict
from recsvc.domain.campaign.campaign import Campaign, State
from recsvc.domain.results.effect import Effect
from recsvc.domain.results.review import Measure, Plan, Roster, review
from recsvc.domain.results.withholding import told
from tests.recsvc.domain.results.test_review import a_roster


def a_campaign(**changes: Any) -> Campaign:
    plan: dict[str, Any] = {
        "campaign_id": "cmp_a",
        "name": "Spring <b>groceries</b>",
        "item_ids": ("offer_1", "offer_2"),
        "channel": Channel.PUSH,
        "starts_at": datetime(2026, 2, 1, tzinfo=UTC),
        "ends_at": datetime(2026, 3, 1, tzinfo=UTC),
        "state": State.ENDED,
        "pia_ref": "PIA-2026-7",
    }
    return Campaign(**{**plan, **changes})


def a_document(roster: Roster | None = None, **changes: Any) -> dict[str, Any]:
    plan = Plan(3_200, 800, {Measure.ACTIVATED: 0.2, Measure.SPEND: 5e7})
    found = review(a_roster() if roster is None else roster, 2_000, plan=plan)
    shown = told(found, minimum=50, confidence=0.95, for_merchant=False)
    return {**shown, "as_of": "2026-03-02T10:00:00+00:00", "past_retention": False, **changes}


class Outline(HTMLParser):
    """Tags and words of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("document", [a_document(), a_document(a_roster(0))])
def test_a_page_closes_what_it_opens_and_needs_nothing_from_elsewhere(
    document: dict[str, Any],
) -> None:
    page = results_page(a_campaign(), document, "CNY")
    outline = Outline(page)

    assert outline.open == []
    assert len(outline.named("h1")) == len(outline.named("main")) == 1
    assert not {"script", "link", "img", "iframe", "a"} & {tag for tag, _ in outline.tags}
    assert not [name for _, attributes in outline.tags for name in attributes if name == "style"]
    assert not re.search(r"url\(|@import|https?://(?!www.w3.org/2000/svg)", page)
    assert "Spring <b>groceries</b>" in outline.words


def test_who_hears_the_page_hears_headings_of_columns_and_rows_and_the_plots_numbers() -> None:
    outline = Outline(results_page(a_campaign(), a_document(), "CNY"))

    assert {cell["scope"] for cell in outline.named("th")} == {"col", "row"}
    assert len(outline.named("table")) == len(outline.named("caption")) >= 4
    assert len(outline.named("svg")) == len(outline.named("desc")) >= 6
    assert outline.named("html") == [{"lang": "en"}]


def test_the_policy_lets_this_style_apply_and_nothing_else() -> None:
    page = results_page(a_campaign(), a_document())
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert style == STYLE
    assert f"style-src 'sha256-{digest}'" in policy()
    assert "default-src 'none'" in policy()


def test_the_figures_of_the_page_are_those_of_the_document() -> None:
    document = a_document()
    words = Outline(results_page(a_campaign(), document, "CNY")).words

    treated = document["treated"]
    for number in (treated["cardholders"], treated["activated"], treated["redeemed"]):
        assert f"{number:,}" in words
    assert f"CNY {document['cost_minor'] / 100:,.2f}" in words
    assert f"{document['incremental']['activated']['estimate']:,.0f} activations" in words
    assert f"{100 * document['detectable_difference']:.2f} percentage points" in words


def test_the_page_says_with_which_rate_the_smallest_effect_is_reckoned() -> None:
    roster = a_roster()
    silent = replace(roster, measures={Measure.SENT: roster.treated.astype(np.float64)})
    document = a_document()

    assumed = Outline(results_page(a_campaign(), a_document(silent))).words
    known = Outline(results_page(a_campaign(), document)).words

    assert "if 5.00% of the held out activate by themselves, as was assumed before" in assumed
    assert f"as {document['baseline_rate']:.2%} of the held out activated by themselves" in known
    rate = document["holdout"]["activated"] / document["holdout"]["cardholders"]
    assert document["baseline_rate"] == pytest.approx(rate)


def test_while_a_campaign_runs_the_summary_is_the_reading_for_any_day() -> None:
    document = a_document()
    reading = document["lift"]["activated"]
    people = document["treated"]["cardholders"]
    running = Outline(results_page(a_campaign(state=State.LIVE), document)).words
    over = Outline(results_page(a_campaign(), document)).words

    for words, kind in ((running, "any_time"), (over, "fixed")):
        low, high = (f"{reading[kind][edge] * people:,.0f}" for edge in ("low", "high"))
        assert f"between {low} and {high}. " in words
    assert "This campaign runs" in running
    assert "This campaign runs" not in over


def test_before_anybody_did_anything_no_certainty_is_claimed() -> None:
    roster = a_roster()
    silent = replace(roster, measures={Measure.SENT: roster.treated.astype(np.float64)})

    words = Outline(results_page(a_campaign(), a_document(silent), "CNY")).words

    assert "Nobody did anything yet" in words
    assert "between 0 and 0" not in words
    assert "+0.00 pp (+0.00 pp to +0.00 pp)" not in words


def test_what_speaks_against_the_figures_is_said() -> None:
    roster = a_roster()
    cut = np.zeros(roster.treated.size)
    cut[:7] = 1
    whole = replace(roster, measures={**roster.measures, Measure.CUT_SHORT: cut})
    broken = {"expected_holdout": 800, "p_value": 0.0, "broken": True}
    worried = a_document(whole, past_retention=True, sample_ratio=broken)

    words = Outline(results_page(a_campaign(), worried)).words
    calm = Outline(results_page(a_campaign(), a_document())).words

    for sign in ("Trust no comparison", "Cut short: 7 cardholders", "Retention: ", "p = < 0.001"):
        assert sign in words
        assert sign not in calm
    alone = Outline(results_page(a_campaign(holdout_bps=0), a_document(sample_ratio=None))).words
    assert "There is no holdout" in alone


def test_the_page_says_until_when_its_figures_stay_as_they_are() -> None:
    fresh = a_document(fresh_until="2026-03-02T10:05:00+00:00")
    words = Outline(results_page(a_campaign(), fresh)).words

    assert "worked out at 2026-03-02 10:00 UTC" in words
    assert "told unchanged until 2026-03-02 10:05 UTC" in words


@pytest.mark.parametrize(
    ("currency", "spelt"), [("CNY", "CNY 1,234.56"), ("JPY", "JPY 123,456"), (None, "123,456")]
)
def test_money_is_written_in_its_own_currencys_units(currency: str | None, spelt: str) -> None:
    assert Spelling(currency).money(123_456) == spelt


def test_an_interval_over_zero_is_no_effect_in_words() -> None:
    unsure, harm = Effect(1.0, 1.0, -1.0, 3.0, 0.3), Effect(-2.0, 0.5, -3.0, -1.0, 0.001)

    assert "cannot be told yet" in verdict("of spend", unsure, 10, str)
    assert verdict("activations", harm, 10, str).startswith("The pushes cost about 20.0 activa")
