"""Picture of a search: every trial, and the best so far."""

from typing import Any

import altair as alt

from training.report.plots import svg
from training.tuning import Found


def history(found: Found) -> str:
    """SVG of all trials by their number."""
    points = [{"trial": t.number, "ndcg": t.value, "best": t.best} for t in found.trials]
    base = alt.Chart(alt.Data(values=points)).encode(x=alt.X("trial:Q", title="trial"))
    scale = alt.Scale(zero=False)
    dots = base.mark_circle(size=45, opacity=0.6).encode(
        y=alt.Y("ndcg:Q", title="nDCG on the slices", scale=scale)
    )
    line: Any = base.mark_line(interpolate="step-after", strokeWidth=2.5).encode(
        y=alt.Y("best:Q", scale=scale)
    )
    return svg((dots + line).properties(width=520, height=260))
