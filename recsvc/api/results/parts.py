"""Pieces of a page that stands alone: its style, tables, sections. Every word is escaped."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light; }
body { margin: 0; background: #eef1f5; color: #1d2430; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 820px; margin: 24px auto; padding: 32px 40px; background: #fff;
  border: 1px solid #d9dee6; border-radius: 6px; }
h1 { margin: 0 0 4px; font-size: 26px; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 36px 0 8px; padding-top: 14px; border-top: 1px solid #d9dee6; font-size: 18px; }
p { margin: 8px 0; max-width: 68ch; }
.quiet { color: #5a6575; }
.state { padding: 1px 9px; border: 1px solid #1f4e8c; border-radius: 10px; color: #1f4e8c;
  font-size: 13px; white-space: nowrap; }
.verdict, .alarm { max-width: none; }
.verdict { padding: 12px 16px; border-left: 4px solid #1f4e8c; background: #f4f7fb; }
.alarm { padding: 12px 16px; border-left: 4px solid #a32020; background: #fbf3f3; }
dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin: 16px 0; }
dl div { padding: 10px 14px; border: 1px solid #d9dee6; border-radius: 6px; }
dt { color: #5a6575; font-size: 13px; }
dd { margin: 0; font-size: 20px; font-variant-numeric: tabular-nums; }
dd small { display: block; color: #5a6575; font-size: 12px; }
table { width: 100%; margin: 10px 0; border-collapse: collapse; font-size: 14px;
  font-variant-numeric: tabular-nums; }
caption { padding: 4px 0; color: #5a6575; font-size: 13px; text-align: left; }
th, td { padding: 5px 8px; border-bottom: 1px solid #e4e8ee; text-align: right;
  vertical-align: top; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid #9aa5b4; font-weight: 600; }
tbody th { font-weight: 400; }
svg { display: block; max-width: 100%; height: auto; margin: 12px 0; }
@media (max-width: 700px) { main { margin: 0; padding: 20px; border: 0; }
  dl { grid-template-columns: 1fr 1fr; } }
@media print { body { background: #fff; font-size: 11pt; }
  main { margin: 0; padding: 0; border: 0; }
  table, svg, dl, .verdict, .alarm { break-inside: avoid; } h2 { break-after: avoid; }
  * { print-color-adjust: exact; } }
"""


def policy() -> str:
    """Content-Security-Policy of such a page: nothing runs, nothing is fetched, this style only."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'"
    )


def whole(title: str, parts: Iterable[str]) -> str:
    """A page of parts that are HTML already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A section of parts that are HTML already."""
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def paragraph(words: str, *, kind: str = "") -> str:
    """A paragraph of plain words."""
    named = f' class="{escape(kind)}"' if kind else ""
    return f"<p{named}>{escape(words)}</p>"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain words, with headings that name columns and rows to who hears them."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def figures(cells: Iterable[tuple[str, str, str]]) -> str:
    """Figures to see first: name, number, and a word below it."""
    return "<dl>{}</dl>".format(
        "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(number)}<small>{escape(below)}</small></dd>"
            "</div>"
            for name, number, below in cells
        )
    )
