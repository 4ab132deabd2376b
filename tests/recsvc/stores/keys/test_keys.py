"""The key table is the only place that spells keys, and says what ends each."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from hypothesis import given
from hypothesis import strategies as st

import recsvc
from recsvc.stores import keys
from recsvc.stores.keys.family import LAYOUT, Family
from recsvc.stores.keys.table import OF_ONE_CARDHOLDER, TABLE

IDS = st.from_regex(r"[A-Za-z0-9._~-]{1,128}", fullmatch=True)


def test_every_family_lives_for_a_time_or_says_what_ends_it() -> None:
    assert all(family.ttl_seconds or family.kept for family in TABLE)
    assert len({family.name for family in TABLE}) == len(TABLE)


def test_no_other_module_spells_a_key() -> None:
    root = Path(recsvc.__file__).parent
    spelled = re.compile(rf"['\"]{LAYOUT}:|:\{{\{{")
    guilty = [
        path.name
        for path in root.rglob("*.py")
        if path.parent.name != "keys" and spelled.search(path.read_text())
    ]

    assert guilty == []


@given(one=st.tuples(IDS, IDS), other=st.tuples(IDS, IDS))
def test_two_issuers_or_two_ids_never_share_a_key(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    for family in TABLE:
        assert (family.key(*one) == family.key(*other)) == (one == other)


def test_no_key_of_one_family_is_a_key_of_another() -> None:
    keys = [family.key("demo", "x") for family in TABLE]

    assert len(set(keys)) == len(keys)


def test_every_family_that_is_written_down_stands_in_the_table_once() -> None:
    modules = [import_module(f"{keys.__name__}.{one.name}") for one in iter_modules(keys.__path__)]
    written = [one for module in modules for one in vars(module).values() if type(one) is Family]

    assert {one.name for one in written} == {one.name for one in TABLE}
    assert len(written) == len(TABLE)
    assert {*OF_ONE_CARDHOLDER} <= {*TABLE}
