"""The results of a campaign as one page to keep, print and show: words and plots, no script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from recsvc.api.results.caveats import caveats
from recsvc.api.results.parts import figures, paragraph, section, table, whole
from recsvc.api.results.plots import Bar, bar_plot, in_words, interval_plot
from recsvc.api.results.words import (
    Spelling,
    count,
    effect_of,
    minute,
    p_value,
    points,
    read_at,
    share,
    signed,
    verdict,
)
from recsvc.domain.campaign.campaign import Campaign, State
from recsvc.domain.results.effect import Effect

Told = Mapping[str, Any]
STEPS = {
    "sent": "sent",
    "served": "shown in the app",
    "viewed": "viewed",
    "activated": "activated",
    "redeemed": "redeemed",
}
MEASURES = {
    "activated": "activation",
    "redeemed": "redemptions",
    "visits": "visits",
    "spend_minor": "spend",
}
OVER = (State.ENDED, State.CANCELLED)


def results_page(campaign: Campaign, document: Told, currency: str | None = None) -> str:
    """HTML of the issuer's view of results.

    Parameters
    ----------
    document : what `GET /v1/campaigns/{id}/results` tells
    currency : of the campaign's money; None for minor units without a name
    """
    page = _Page(campaign, _without_silence(document), Spelling(currency))
    parts = [page.head(), page.summary()]
    if document["treated"].get("cardholders"):
        parts += [
            page.funnel(),
            page.effects(),
            page.money(),
            page.parts("By item", "item", page.told["by_item"]),
            page.parts("By segment", "segment", page.told["by_segment"]),
        ]
    return whole(f"{campaign.name} – results", [*parts, page.trust(), page.reading()])


@dataclass(frozen=True, slots=True)
class _Page:
    campaign: Campaign
    told: Told
    spelling: Spelling

    @property
    def is_over(self) -> bool:
        return self.campaign.state in OVER

    def head(self) -> str:
        plan = self.campaign
        window = f"{plan.starts_at:%Y-%m-%d %H:%M} to {plan.ends_at:%Y-%m-%d %H:%M} UTC"
        items = ", ".join(plan.item_ids[:6]) + (" and more" if len(plan.item_ids) > 6 else "")
        return (
            f'<header><h1>{escape(plan.name)}</h1><p class="quiet">'
            f'<span class="state">{escape(plan.state.value)}</span> '
            f"{escape(plan.channel.value)} campaign, {escape(window)} · items: {escape(items)} · "
            f"impact assessment: {escape(plan.pia_ref or 'none')} · {escape(plan.campaign_id)} · "
            f"as of {escape(minute(self.told['as_of']))} UTC</p></header>"
        )

    def summary(self) -> str:
        treated, holdout = self.told["treated"], self.told["holdout"]
        if not treated.get("cardholders"):
            return section("In short", paragraph("Nobody was addressed yet, or too few to tell."))
        cells = [
            ("Addressed", count(treated["cardholders"]), f"{count(treated['sent'])} pushes sent"),
            ("Held out", count(holdout.get("cardholders")), "on purpose, to compare with"),
            ("Redeemed", count(treated["redeemed"]), f"{count(treated['activated'])} activated"),
            ("Cost", self.spelling.money(self.told["cost_minor"]), "rewards" + self.spelling.unit),
        ]
        return section("In short", self._alarm(), self._verdicts(), figures(cells))

    def _alarm(self) -> str:
        ratio = self.told.get("sample_ratio")
        if ratio is None:
            words = "There is no holdout, so what the pushes added cannot be told."
        elif ratio["broken"]:
            words = "The two groups are not what chance would deal. Trust no comparison below."
        else:
            return ""
        return paragraph(words, kind="alarm")

    def _verdicts(self) -> str:
        lift = self.told.get("lift") or {}
        people = self.told["treated"]["cardholders"]
        said = []
        spend = f"of spend{self.spelling.unit}"
        for measure, of_what, spell in (
            ("activated", "activations", count),
            ("spend_minor", spend, self.spelling.money),
        ):
            if measure in lift:
                effect = read_at(lift[measure], is_over=self.is_over)
                said.append(verdict(of_what, effect, people, spell))
        words = " ".join(said) or "Nobody did anything yet by which the groups could be compared."
        return paragraph(words, kind="verdict")

    def funnel(self) -> str:
        treated, holdout = self.told["treated"], self.told["holdout"]
        shares = [
            (words, treated[step], _share(treated, step), holdout.get(step), _share(holdout, step))
            for step, words in STEPS.items()
        ]
        rows = [
            (words, count(n), share(of), count(other), share(beside))
            for words, n, of, other, beside in shares
        ]
        heads = ("step", "addressed", "of addressed", "held out", "of held out")
        bars = [Bar(words, of, beside) for words, _, of, _, beside in shares]
        return section(
            "From push to redemption",
            bar_plot(bars, "Share of each group", names=("addressed", "held out"), spell=share),
            table("Cardholders at each step; a redemption counts each time", heads, rows),
        )

    def effects(self) -> str:
        """What the pushes changed for one cardholder: numbers, and a plot for each measure."""
        lift = self.told.get("lift") or {}
        rows, plots = [], []
        for measure, name in MEASURES.items():
            if measure in lift:
                spell = self._speller(measure)
                once, any_time = _readings(lift[measure])
                rows.append(self._effect_row(measure, name, once, any_time))
                lines = [("read once, at the end", once)]
                lines += [("read on any day", any_time)] if any_time else []
                title = f"Change of {name} for one cardholder"
                plots.append(interval_plot(lines, title, spell=spell))
        if not rows:
            return ""
        heads = ("per cardholder", "addressed", "held out", "change (read once)", "any day", "p")
        level = f"{self.told['confidence']:.0%}"
        caption = f"Difference of the groups with {level} intervals; spend is adjusted (CUPED)"
        return section("What the pushes changed", table(caption, heads, rows), *plots)

    def _effect_row(
        self, measure: str, name: str, once: Effect, any_time: Effect | None
    ) -> Sequence[str]:
        spell = self._speller(measure)
        plain = {"activated": share, "spend_minor": self.spelling.money}.get(measure, _mean)
        means = (_share(self.told[arm], measure) for arm in ("treated", "holdout"))
        return (
            name,
            *(plain(mean) for mean in means),
            in_words(once, spell),
            in_words(any_time, spell) if any_time else "–",
            p_value(once.p_value),
        )

    def _speller(self, measure: str) -> Callable[[float], str]:
        return {"activated": points, "spend_minor": self.spelling.money}.get(measure, signed)

    def money(self) -> str:
        told = self.told.get("return_on_cost")
        if told is None:
            return section("Return", paragraph("Nothing was paid yet, so there is no return."))
        effect = effect_of(told)
        words = (
            f"For each unit of money that rewards cost, spend changed by {in_words(effect, _times)}"
            ". That is spend at merchants, not the issuer's income from it."
        )
        plot = interval_plot([("spend for each unit of cost", effect)], "Return", spell=_times)
        return section("Return", paragraph(words), plot)

    def parts(self, title: str, word: str, parts: Sequence[Told]) -> str:
        """Effects on activation of the parts that may be told, and the names of the others."""
        shown = [part for part in parts if not part["withheld"]]
        hidden = [str(part["name"]) for part in parts if part["withheld"]]
        if not parts:
            return ""
        lines, rows = [], []
        for part in shown:
            reading = (part.get("lift") or {}).get("activated")
            effect = effect_of(reading["fixed"]) if reading else None
            lines += [(str(part["name"])[:28], effect)] if effect else []
            rows.append(_part_row(part, effect))
        heads = (word, "addressed", "redeemed", "activated", "held out: activated", "change")
        body = table(f"Activation by {word}, read once", heads, rows) if rows else ""
        plot = interval_plot(lines, "Change of activation", spell=points) if lines else ""
        words = f"Too few cardholders to tell, or told by the others: {', '.join(hidden)}."
        return section(title, plot, body, paragraph(words, kind="quiet") if hidden else "")

    def trust(self) -> str:
        """What speaks for and against the figures."""
        return section("Can it be trusted?", *map(paragraph, caveats(self.told)))

    def reading(self) -> str:
        words = (
            "Everybody whom the campaign meant was dealt by chance to one of two groups, once and "
            "for ever; the difference between the groups is what the pushes did. A cardholder who "
            "was addressed counts whether or not his push could leave.",
            "An interval read once is right if it is read when the campaign is over. Whoever looks "
            "every day, or stops when it pleases, reads the wider one for any day."
            + ("" if self.is_over else " This campaign runs, so the summary above uses it."),
            "Refunds and reversals are taken back. What counts is from the launch to 30 days after "
            "the end, so figures go on growing until then.",
        )
        return section("How to read this page", *map(paragraph, words))


def _without_silence(document: Told) -> Told:
    """The document without effects on what nobody did yet: from 0 to 0 is no knowledge."""

    def spoken(part: Told) -> Told:
        lift = part.get("lift") or {}
        kept = {k: v for k, v in lift.items() if v["fixed"]["low"] < v["fixed"]["high"]}
        return {**part, "lift": kept}

    parts = {name: [spoken(part) for part in document[name]] for name in ("by_item", "by_segment")}
    return {**spoken(document), **parts}


def _readings(reading: Told) -> tuple[Effect, Effect | None]:
    any_time = reading["any_time"]
    return effect_of(reading["fixed"]), effect_of(any_time) if any_time else None


def _part_row(part: Told, effect: Effect | None) -> Sequence[str]:
    treated, holdout = part["treated"], part["holdout"]
    return (
        str(part["name"]),
        count(treated.get("cardholders")),
        count(treated.get("redeemed")),
        share(_share(treated, "activated")),
        share(_share(holdout, "activated")),
        in_words(effect, points) if effect else "–",
    )


def _share(side: Told, step: str) -> float:
    return (side.get(step) or 0) / (side.get("cardholders") or 1)


def _mean(value: float) -> str:
    return f"{value:.3f}"


def _times(value: float) -> str:
    return f"{value:.2f}"
