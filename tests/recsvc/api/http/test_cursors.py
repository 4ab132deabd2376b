"""Pages put together are the list; a cursor opens where it was made and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.api.http.cursors import Cursors
from recsvc.api.http.problems import ProblemError

CURSORS = Cursors(b"s" * 32)
positions = st.text(min_size=1, max_size=12)


def page(rows: list[str], limit: int, cursor: str | None) -> tuple[list[str], str | None]:
    """A page as a view asks for it: one row more than it shows."""
    after = CURSORS.open("demo", "things", cursor)
    rest = [row for row in rows if after is None or row > after]
    shown, following = CURSORS.page("demo", "things", rest[: limit + 1], limit, str)
    return list(shown), following


@given(st.sets(positions, max_size=20).map(sorted), st.integers(1, 8))
def test_the_pages_of_a_list_put_together_are_the_list(rows: list[str], limit: int) -> None:
    pages, cursor = [], None
    for _ in range(len(rows) + 1):
        shown, cursor = page(rows, limit, cursor)
        pages.append(shown)
        if cursor is None:
            break

    assert cursor is None
    assert [row for shown in pages for row in shown] == rows
    assert all(len(shown) == limit for shown in pages[:-1])


@given(positions, st.sampled_from([("other", "things"), ("demo", "others")]))
def test_a_cursor_opens_no_other_list(position: str, elsewhere: tuple[str, str]) -> None:
    cursor = CURSORS.seal("demo", "things", position)

    assert CURSORS.open("demo", "things", cursor) == position
    with pytest.raises(ProblemError, match="not acceptable"):
        CURSORS.open(*elsewhere, cursor)


@given(st.text(max_size=60))
def test_what_somebody_made_up_opens_nothing(cursor: str) -> None:
    with pytest.raises(ProblemError, match="not acceptable"):
        CURSORS.open("demo", "things", cursor)
