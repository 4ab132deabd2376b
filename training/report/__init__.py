"""What a run found, as JSON for machines and as one page for people.

``material`` is what a report is made of, ``document`` its JSON, ``examples`` what the model
knows in words, ``plots`` the pictures, ``page`` the page.
"""

from pathlib import Path

import orjson

from training.report.document import document_of
from training.report.material import Material
from training.report.page import page_of

__all__ = ["Material", "write_report"]


def write_report(folder: Path, material: Material) -> None:
    """Write ``report.json`` and ``report.html``; the page needs no network and no script."""
    document = document_of(material)
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    (folder / "report.json").write_bytes(orjson.dumps(document, option=options))
    (folder / "report.html").write_text(page_of(document), "utf-8")
