"""Plots as inline SVG: no script, no style element, every word escaped, so a strict CSP holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from recsvc.domain.results.effect import Effect

WIDTH, ROW, LABEL, PAD = 640, 28, 180, 24
TINY = 1e-12
"""A span below this is drawn as none."""

BLUE, GREY, INK = "#2457a6", "#c9ced6", "#1d2430"


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a bar plot: a label and two numbers of at least 0."""

    label: str
    value: float
    beside: float


def interval_plot(rows: Sequence[tuple[str, Effect]], title: str) -> str:
    """Estimates with their intervals, one a line, against a line at 0."""
    low = min([0.0, *(effect.low for _, effect in rows)])
    high = max([0.0, *(effect.high for _, effect in rows)])
    scale = (WIDTH - LABEL - PAD) / (high - low if high - low > TINY else 1.0)
    body = [_line(LABEL + (0 - low) * scale, 30, 30 + ROW * len(rows), GREY)]
    for number, (label, effect) in enumerate(rows):
        y = 30 + ROW * number + ROW / 2
        left, right = (LABEL + (edge - low) * scale for edge in (effect.low, effect.high))
        body += [
            _text(label, LABEL - 8, y + 4, anchor="end"),
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{BLUE}" '
            'stroke-width="2"/>',
            f'<circle cx="{LABEL + (effect.estimate - low) * scale:.1f}" cy="{y:.1f}" r="4" '
            f'fill="{BLUE}"/>',
        ]
    return _svg(title, 40 + ROW * len(rows), body)


def bar_plot(bars: Sequence[Bar], title: str) -> str:
    """Two bars a line on one scale: the treated above, the holdout in grey below."""
    top = max([TINY, *(bar.value for bar in bars), *(bar.beside for bar in bars)])
    scale = (WIDTH - LABEL - 110) / top
    body: list[str] = []
    for number, bar in enumerate(bars):
        y = 30 + ROW * number
        body += [
            _text(bar.label, LABEL - 8, y + 16, anchor="end"),
            _bar(y + 4, bar.value * scale, BLUE),
            _bar(y + 14, bar.beside * scale, GREY),
            _text(f"{bar.value:.4g} / {bar.beside:.4g}", LABEL + bar.value * scale + 6, y + 16),
        ]
    return _svg(title, 40 + ROW * len(bars), body)


def _svg(title: str, height: int, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'width="{WIDTH}" height="{height}"><title>{escape(title)}</title>'
        f"{_text(title, 8, 18)}{''.join(body)}</svg>"
    )


def _text(words: str, x: float, y: float, *, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" '
        f'font-family="sans-serif" fill="{INK}">{escape(words)}</text>'
    )


def _line(x: float, top: float, bottom: float, colour: str) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="{colour}"/>'


def _bar(y: float, width: float, colour: str) -> str:
    return f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="9" fill="{colour}"/>'
