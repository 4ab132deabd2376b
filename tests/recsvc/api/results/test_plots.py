"""Plots tell their numbers, keep within their frame and run nothing."""

from xml.etree.ElementTree import fromstring

from hypothesis import given
from hypothesis import strategies as st

from recsvc.api.results.plots import WIDTH, Bar, bar_plot, interval_plot, ticks
from recsvc.domain.results.effect import Effect

EFFECT = Effect(1.0, 0.5, 0.0, 2.0, 0.05)


def test_F54_words_in_a_plot_are_shown_and_never_run() -> None:
    hostile = "<script>alert(1)</script>\"'{{7*7}}"

    for svg in (
        interval_plot([(hostile, EFFECT)], hostile),
        bar_plot([Bar(hostile, 1, 2)], hostile, names=(hostile, "b")),
    ):
        tree = fromstring(svg)  # noqa: S314
        assert hostile in "".join(tree.itertext())
        assert not [node for node in tree.iter() if node.tag.endswith(("script", "style"))]
        assert not [name for node in tree.iter() for name in node.attrib if name == "style"]


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6)), max_size=6))
def test_every_mark_of_an_interval_plot_is_inside_it(rows: list[tuple[float, float]]) -> None:
    effects = [("x", Effect(mid, w, mid - w, mid + w, 1.0)) for mid, w in rows]

    tree = fromstring(interval_plot(effects, "t"))  # noqa: S314

    for node in tree.iter():
        for name in ("x1", "x2", "cx"):
            assert 0 <= float(node.get(name, "0")) <= WIDTH


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_an_axis_has_few_round_marks_none_outside_of_it(low: float, span: float) -> None:
    marks = ticks(low, low + span)

    assert len(marks) <= 6
    if span > max(1e-6 * abs(low), 1e-9):
        assert len(marks) >= 2
        assert all(low - span / 1e6 <= mark <= low + span * (1 + 1e-6) for mark in marks)


def test_a_plot_tells_its_numbers_to_who_cannot_see_it() -> None:
    tree = fromstring(interval_plot([("spend", EFFECT)], "Change of spend"))  # noqa: S314

    told = {node.tag.rpartition("}")[2]: node.text for node in tree}
    assert told["title"] == "Change of spend"
    assert told["desc"] == "spend: 1 (0 to 2)"
    assert tree.get("role") == "img"
