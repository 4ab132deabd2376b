"""Keys on a real store: what is kept, what is not, what opens."""

from datetime import timedelta

import pytest

from recsvc.stores.assembly import Stores
from recsvc.stores.entrance.api_keys import split_key
from tests.service import NOON


def test_a_key_opens_and_its_secret_is_nowhere_in_the_store(stores: Stores) -> None:
    key, shown = stores.api_keys.create("demo", ["rec:read"], now=NOON)
    parts = split_key(shown)
    assert parts is not None
    kept = stores.api_keys.all()[key.key_id]
    everything = stores.durable.ask(
        lambda store: b"".join(store.dump(name) or b"" for name in store.keys())  # noqa: SIM118
    )

    assert kept == key
    assert kept.opens_with(parts[1])
    assert parts[1].encode() not in everything
    assert bytes.fromhex(parts[1]) not in everything


@pytest.mark.parametrize("change", [lambda s: s[:-1], lambda s: s + "0", lambda s: s[::-1]])
def test_f43_a_truncated_or_altered_secret_opens_nothing(stores: Stores, change) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    key, shown = stores.api_keys.create("demo", ["rec:read"], now=NOON)

    assert not key.opens_with(change(shown.split("_")[2]))


@pytest.mark.parametrize(
    "presented", ["", "rsk", "rsk_a", "rsk_a_b_c", "abc_a_b", "rsk_ä_b", "rsk_a_" + "b" * 200]
)
def test_what_has_not_the_form_of_a_key_is_none(presented: str) -> None:
    assert split_key(presented) is None


def test_a_key_lives_until_it_expires_and_not_at_that_instant(stores: Stores) -> None:
    ends = NOON + timedelta(days=1)
    key, _ = stores.api_keys.create("demo", ["rec:read"], now=NOON, expires_at=ends)

    assert key.is_live(ends - timedelta(microseconds=1))
    assert not key.is_live(ends)


def test_a_revoked_key_stays_revoked_from_the_first_time(stores: Stores) -> None:
    key, _ = stores.api_keys.create("demo", ["rec:read"], now=NOON)
    stores.api_keys.revoke(key.key_id, now=NOON)
    again = stores.api_keys.revoke(key.key_id, now=NOON + timedelta(days=3))
    assert again is not None

    assert again.revoked_at == NOON
    assert not stores.api_keys.all()[key.key_id].is_live(NOON)


def test_revoking_a_key_that_is_not_there_tells_so(stores: Stores) -> None:
    assert stores.api_keys.revoke("nobody", now=NOON) is None


@pytest.mark.parametrize("scopes", [[], ["rec:read", "rec:write"]])
def test_no_scope_or_one_that_is_not_known_is_refused_by_name(
    stores: Stores, scopes: list[str]
) -> None:
    with pytest.raises(ValueError, match="rec:read, events:write"):
        stores.api_keys.create("demo", scopes, now=NOON)
