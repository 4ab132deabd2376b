"""What a run found, as JSON for machines and as one page for people.

``material`` is what a report is made of, ``sketch`` the slow part of it, ``document`` its JSON,
``figures`` and ``examples`` what that says of the models and what the model knows in words,
``plots`` the pictures, ``layout`` the plane of one of them, ``page`` the page, ``words`` a few
lines for a terminal.
"""

from pathlib import Path

import orjson

from training.report.document import document_of
from training.report.material import Material
from training.report.page import page_of
from training.report.sketch import Sketch, sketch_of

__all__ = ["Material", "Sketch", "sketch_of", "write_report"]


def write_report(folder: Path, material: Material, sketch: Sketch) -> None:
    """Write ``report.json`` and ``report.html``; the page needs no network and no script.

    Parameters
    ----------
    folder : Path
    material : Material
    sketch : Sketch
        Of the material's contest and model.
    """
    document = document_of(material, sketch)
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    (folder / "report.json").write_bytes(orjson.dumps(document, option=options))
    (folder / "report.html").write_text(page_of(document, sketch.drawings), "utf-8")
