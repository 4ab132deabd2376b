"""Plots as inline SVG: no script, no style element, every word escaped, so a strict CSP holds.

Each is a picture with a title and a description, so that who hears the page hears its numbers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from recsvc.domain.results.effect import Effect

WIDTH, ROW, LABEL, PAD, TOP = 760, 34, 190, 16, 40
VALUES = 220
"""Room on the right for numbers."""

TINY = 1e-12
"""A span below this is drawn as none."""

BLUE, GREY, LIGHT, INK, FAINT_INK = "#1f4e8c", "#9aa5b4", "#d9dee6", "#1d2430", "#5a6575"

Spell = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar plot: a label and two numbers of at least 0."""

    label: str
    value: float
    beside: float


def plainly(number: float) -> str:
    """A number with four digits that count."""
    return f"{number:.4g}"


def interval_plot(rows: Sequence[tuple[str, Effect]], title: str, *, spell: Spell = plainly) -> str:
    """Estimates with their intervals, one a line, against a line at 0."""
    low = min([0.0, *(effect.low for _, effect in rows)])
    high = max([0.0, *(effect.high for _, effect in rows)])
    scale = (WIDTH - LABEL - VALUES - PAD) / (high - low if high - low > TINY else 1.0)
    bottom = TOP + ROW * len(rows)
    body = [_tick(LABEL + (mark - low) * scale, bottom, spell(mark)) for mark in ticks(low, high)]
    body.append(_line(LABEL - low * scale, TOP - 4, bottom, INK))
    for number, (label, effect) in enumerate(rows):
        y = TOP + ROW * number + ROW / 2
        ends = [LABEL + (edge - low) * scale for edge in (effect.low, effect.estimate, effect.high)]
        body += [
            _text(label, LABEL - 10, y + 4, anchor="end"),
            *_interval(ends, y),
            _text(in_words(effect, spell), WIDTH - VALUES, y + 4, size=11),
        ]
    told = "; ".join(f"{label}: {in_words(effect, spell)}" for label, effect in rows)
    return _svg(title, told, bottom + 24, body)


def in_words(effect: Effect, spell: Spell = plainly) -> str:
    """An estimate and its interval."""
    return f"{spell(effect.estimate)} ({spell(effect.low)} to {spell(effect.high)})"


def bar_plot(
    bars: Sequence[Bar], title: str, *, names: tuple[str, str], spell: Spell = plainly
) -> str:
    """Two bars a line on one scale: the first above, the other in grey below it.

    Parameters
    ----------
    names : what the two stand for
    """
    top = max([TINY, *(bar.value for bar in bars), *(bar.beside for bar in bars)])
    scale = (WIDTH - LABEL - 110) / top
    body = [*_legend(names)]
    for number, bar in enumerate(bars):
        y = TOP + 16 + (ROW + 6) * number
        body += [
            _text(bar.label, LABEL - 10, y + 18, anchor="end"),
            _bar(y, bar.value * scale, BLUE),
            _bar(y + 15, bar.beside * scale, GREY),
            _text(spell(bar.value), LABEL + bar.value * scale + 6, y + 11, size=11),
            _text(spell(bar.beside), LABEL + bar.beside * scale + 6, y + 26, size=11),
        ]
    told = "; ".join(
        f"{bar.label}: {names[0]} {spell(bar.value)}, {names[1]} {spell(bar.beside)}"
        for bar in bars
    )
    return _svg(title, told, TOP + 20 + (ROW + 6) * len(bars), body)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from ``low`` to ``high``, two to six of them; 0 alone for an empty span."""
    span = high - low
    if span <= TINY:
        return [0.0]
    rough = span / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _svg(title: str, told: str, height: int, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'width="{WIDTH}" height="{height}"><title>{escape(title)}</title>'
        f"<desc>{escape(told)}</desc>"
        f"{_text(title, 0, 16, size=13)}{''.join(body)}</svg>"
    )


def _text(words: str, x: float, y: float, *, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'font-family="system-ui, sans-serif" fill="{INK}">{escape(words)}</text>'
    )


def _interval(ends: Sequence[float], y: float) -> tuple[str, ...]:
    """A line with a stop at each end and a dot at the estimate."""
    left, middle, right = ends
    return (
        f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{BLUE}" '
        'stroke-width="2"/>',
        _line(left, y - 5, y + 5, BLUE),
        _line(right, y - 5, y + 5, BLUE),
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4.5" fill="{BLUE}"/>',
    )


def _tick(x: float, bottom: float, words: str) -> str:
    return _line(x, TOP - 4, bottom, LIGHT) + (
        f'<text x="{x:.1f}" y="{bottom + 15:.1f}" text-anchor="middle" font-size="10" '
        f'font-family="system-ui, sans-serif" fill="{FAINT_INK}">{escape(words)}</text>'
    )


def _legend(names: tuple[str, str]) -> tuple[str, ...]:
    return (
        f'<rect x="{LABEL}" y="27" width="10" height="10" fill="{BLUE}"/>',
        _text(names[0], LABEL + 15, 36, size=11),
        f'<rect x="{LABEL + 130}" y="27" width="10" height="10" fill="{GREY}"/>',
        _text(names[1], LABEL + 145, 36, size=11),
    )


def _line(x: float, top: float, bottom: float, colour: str) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}" stroke="{colour}"/>'


def _bar(y: float, width: float, colour: str) -> str:
    return f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="13" fill="{colour}"/>'
