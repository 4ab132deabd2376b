import base64
import hashlib
import hmac
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import recsvc.outreach.webhook_client as client_module
from recsvc.domain.campaign.campaign import PushBudget
from recsvc.domain.errors import InvalidError, NotFoundError
from recsvc.logs import Log
from recsvc.outreach.webhook_client import (
    MOST_ANSWER_BYTES,
    DeliveryFailedError,
    ForbiddenHostError,
    UnsafeAddressError,
    WebhookClient,
    checked_url,
    is_public,
)
from recsvc.stores.assembly import Stores
from recsvc.stores.keys.pushes import WEBHOOK_DUE
from recsvc.stores.outreach.webhooks import Webhook
from recsvc.stores.rights.sweeping import Sweeper
from recsvc.workers.deliverer import MOST_ATTEMPTS, PAUSES, Deliverer, pause_after, signed_headers
from tests.outreach import ISSUER, NOON, Town
from tests.receiver import Got, Receiver, a_receiver, slowly
from tests.service import until


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with a_receiver(tmp_path) as running:
        monkeypatch.setattr(client_module, "PORTS", frozenset((443, running.port)))
        yield running


@pytest.fixture
def client(receiver: Receiver) -> WebhookClient:
    """A client to whom the receiver's own address is as good as public."""
    return WebhookClient(
        resolver=lambda *_: ["127.0.0.1"], judge=lambda ip: ip == "127.0.0.1", tls=receiver.trust
    )


@pytest.fixture
def town(stores: Stores) -> Town:
    return Town.of(stores, 40)


@pytest.fixture
def deliverer(town: Town, client: WebhookClient, log: Log) -> Iterator[Deliverer]:
    made = Deliverer(
        town.outreach.webhooks,
        client,
        clock=town.clock,
        log=log,
        metrics=town.metrics,
        chance=random.Random(1),
    )
    yield made
    made.close()


def a_webhook(town: Town, receiver: Receiver) -> Webhook:
    return town.outreach.webhooks.add(ISSUER, receiver.url)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.bank.example/",
        "https://user:secret@hooks.bank.example/",
        "https://hooks.bank.example:22/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.8/",
        "https://localhost/",
        "https://ⓛocalhost.example/",
        "ftp://hooks.bank.example/",
        "https://hooks.bank.example:99999/",
        "https:///x",
        "",
    ],
)
def test_F49_an_address_that_could_lead_inside_is_refused_when_it_is_registered(url: str) -> None:
    with pytest.raises(InvalidError) as raised:
        checked_url(url)
    assert raised.value.pointer == "/url"
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - refused, not bound to
        "255.255.255.255",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "ff02::1",
        "fec0::1",
        "::7f00:1",
        "64:ff9b:1::7f00:1",
        "3fff::1",
        "5f00::1",
    ],
)
def test_F49_an_address_inside_is_refused_when_connecting(address: str) -> None:
    client = WebhookClient(resolver=lambda *_: ["93.184.215.14", address])

    assert not is_public(address)
    with pytest.raises(UnsafeAddressError):
        client.post("https://hooks.bank.example/", b"{}", {})


@pytest.mark.parametrize(
    ("url", "may_go"),
    [
        ("https://bank.example/x", True),
        ("https://Hooks.EU.bank.example./x", True),
        ("https://notbank.example/x", False),
        ("https://bank.example.elsewhere.example/x", False),
    ],
)
def test_P38_pushes_leave_only_for_domains_that_the_operator_names(url: str, may_go: bool) -> None:
    public: list[str] = ["93.184.215.14"]
    client = WebhookClient(hosts=("bank.example",), resolver=lambda *_: public)

    if may_go:
        assert client.require_safe(url)[1] == public[0]
    else:
        for refused in (client.require_safe, lambda url: client.post(url, b"{}", {})):
            with pytest.raises(ForbiddenHostError):
                refused(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://bank.example/é",
        "https://bank.example/a b",
        "https://bank.example/\r\nX: y",
        "https://b%61nk.example/",
        "https://a..b.example/",
        f"https://{'a' * 64}.example/",
        f"https://{'a.' * 130}example/",
    ],
)
def test_F49_an_address_that_no_request_can_carry_is_refused_when_it_is_told(url: str) -> None:
    with pytest.raises(InvalidError):
        checked_url(url)


def test_P38_a_domain_may_be_written_with_dots_around_it() -> None:
    client = WebhookClient(hosts=(".Bank.example.",), resolver=lambda *_: ["93.184.215.14"])

    assert client.require_safe("https://hooks.bank.example/x")[1] == "93.184.215.14"
    with pytest.raises(ForbiddenHostError):
        client.require_safe("https://notbank.example/x")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_F49_a_name_that_changes_its_address_is_connected_to_where_it_was_checked(
    receiver: Receiver,
) -> None:
    told = iter([["127.0.0.1"], ["10.0.0.1"]])

    def rebinding(*_: Any) -> Sequence[str]:
        return next(told)

    client = WebhookClient(
        resolver=rebinding, judge=lambda ip: ip == "127.0.0.1", tls=receiver.trust
    )

    assert client.post(receiver.url, b"{}", {}).status == 204
    with pytest.raises(UnsafeAddressError):
        client.post(receiver.url, b"{}", {})


def test_F49_a_receiver_that_cannot_prove_its_name_gets_nothing(receiver: Receiver) -> None:
    stranger = WebhookClient(resolver=lambda *_: ["127.0.0.1"], judge=lambda _: True)

    with pytest.raises(DeliveryFailedError, match="tls"):
        stranger.post(receiver.url, b"{}", {})
    assert receiver.got == []


def test_F29_a_redirect_is_an_answer_and_is_not_followed(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer = lambda _: (302, {"Location": receiver.url + "/inside"}, b"")

    assert client.post(receiver.url, b"{}", {}).status == 302
    assert [got.path for got in receiver.got] == ["/pushes"]


def test_F29_of_a_huge_answer_only_64_kib_are_read(
    receiver: Receiver, client: WebhookClient
) -> None:
    receiver.answer = lambda _: (200, {}, b"x" * 5_000_000)

    assert len(client.post(receiver.url, b"{}", {}).body) == MOST_ANSWER_BYTES


def test_F29_a_receiver_that_keeps_us_waiting_is_left(
    receiver: Receiver, client: WebhookClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "WAIT_SECONDS", 0.2)
    receiver.answer = slowly(1.0)

    with pytest.raises(DeliveryFailedError, match="timeout"):
        client.post(receiver.url, b"{}", {})


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"]
)
def test_F29_a_receiver_that_sends_a_byte_now_and_then_is_left_at_the_deadline(
    receiver: Receiver, client: WebhookClient, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(client_module, "WHOLE_SECONDS", 0.3)
    receiver.begun = begun
    began = time.monotonic()

    with pytest.raises(DeliveryFailedError, match="timeout"):
        client.post(receiver.url, b"{}", {})

    assert time.monotonic() - began < 3.0


def verified(webhook: Webhook, got: Got) -> bool:
    """Check a signature as the Standard Webhooks specification says, on its own."""
    headers = {name.lower(): value for name, value in got.headers.items()}
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(webhook.secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{expected}"


def test_the_signature_is_that_of_the_published_example() -> None:
    """The vector of the Standard Webhooks reference libraries."""
    webhook = Webhook("wh", "https://x.example/", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    at = NOON.fromtimestamp(1614265330, tz=NOON.tzinfo)

    headers = signed_headers(webhook, "msg_p5jXN8AQM9LWM0D4loKWxJek", body, at)

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_push_is_delivered_signed_and_with_its_stable_id(
    town: Town, receiver: Receiver, deliverer: Deliverer
) -> None:
    webhook = a_webhook(town, receiver)
    town.launch(holdout_bps=0)
    town.run()

    taken = deliverer.deliver(ISSUER, webhook)

    assert taken == 40
    assert all(verified(webhook, got) for got in receiver.got)
    assert sorted(got.headers["webhook-id"] for got in receiver.got) == sorted(
        push["push_id"] for push in town.gateway()
    )


@pytest.mark.parametrize("status", [500, 302, 404, 429])
def test_F29_a_failing_receiver_is_tried_again_later_and_others_are_not_kept_waiting(
    town: Town, receiver: Receiver, deliverer: Deliverer, status: int
) -> None:
    webhook = a_webhook(town, receiver)
    town.launch(holdout_bps=0, campaign_id="c_1")
    town.run()
    receiver.answer = lambda _: (status, {}, b"")
    assert deliverer.deliver(ISSUER, webhook) == 0
    first = receiver.got[0].headers["webhook-id"]

    receiver.answer = lambda _: (204, {}, b"")
    town.clock.pass_time(minutes=5)
    deliverer.deliver(ISSUER, webhook)

    tried = [got.headers["webhook-id"] for got in receiver.got]
    assert tried.count(first) == 2
    assert len(set(tried)) == 40


def test_F29_after_eight_attempts_within_a_day_a_delivery_is_given_up_and_can_be_replayed(
    town: Town, receiver: Receiver, deliverer: Deliverer
) -> None:
    webhook, store = a_webhook(town, receiver), town.outreach.webhooks
    town.launch(holdout_bps=0, budget=PushBudget(pushes=1))
    town.run()
    receiver.answer = lambda _: (500, {}, b"")
    for _ in range(26 * 6):
        deliverer.deliver(ISSUER, webhook)
        town.clock.pass_time(minutes=10)
    push_id = receiver.got[0].headers["webhook-id"]
    tries = len(receiver.got)

    assert tries == MOST_ATTEMPTS
    assert store.outcome(ISSUER, webhook.webhook_id, push_id) == "given up: status_500"

    receiver.answer = lambda _: (204, {}, b"")
    store.replay(ISSUER, webhook.webhook_id, push_id, town.clock())
    deliverer.deliver(ISSUER, webhook)
    assert store.outcome(ISSUER, webhook.webhook_id, push_id) == "delivered 204"


def test_the_pauses_grow_are_spread_and_fill_a_day() -> None:
    chance = random.Random(3)
    pauses = [pause_after(n, chance) for n in range(1, MOST_ATTEMPTS)]

    assert pause_after(MOST_ATTEMPTS, chance) is None
    assert all(a and b and a < b for a, b in itertools.pairwise(pauses))
    assert timedelta(hours=20) < timedelta(seconds=sum(PAUSES)) <= timedelta(hours=24)
    assert len({pause_after(1, chance) for _ in range(5)}) == 5


def test_F29_a_receiver_that_is_gone_is_switched_off(
    town: Town, receiver: Receiver, deliverer: Deliverer
) -> None:
    webhook = a_webhook(town, receiver)
    town.launch(holdout_bps=0)
    town.run()
    receiver.answer = lambda _: (410, {}, b"")

    deliverer.deliver(ISSUER, webhook)

    assert len(receiver.got) == 1
    assert town.outreach.webhooks.get(ISSUER, webhook.webhook_id).disabled == "gone"
    deliverer.look(ISSUER)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [410, 500])
def test_F29_a_webhook_that_is_deleted_while_it_answers_stays_deleted(
    town: Town, receiver: Receiver, deliverer: Deliverer, status: int
) -> None:
    webhook = a_webhook(town, receiver)
    town.launch(holdout_bps=0)
    town.run()
    before = keys_of_webhooks(town)

    def deletes(_: Got) -> tuple[int, dict[str, str], bytes]:
        town.outreach.webhooks.remove(ISSUER, webhook.webhook_id)
        return status, {}, b""

    receiver.answer = deletes
    deliverer.deliver(ISSUER, webhook)

    assert town.outreach.webhooks.all(ISSUER) == []
    assert any("webhook_due" in key for key in before)
    assert not [key for key in keys_of_webhooks(town) if "webhook_due" in key]


def test_P19_what_is_due_to_a_webhook_is_forgotten_with_its_deliveries(
    town: Town, receiver: Receiver
) -> None:
    webhook = a_webhook(town, receiver)
    town.launch(holdout_bps=0)
    town.run()
    name = WEBHOOK_DUE.key(ISSUER, webhook.webhook_id)

    assert 0 < town.stores.durable.ask(lambda store: store.ttl(name)) <= 7 * 24 * 60 * 60


def keys_of_webhooks(town: Town) -> list[str]:
    found: Any = town.stores.durable.ask(lambda store: store.keys("*webhook*"))
    return [key.decode() for key in found]


def test_F29_a_slow_receiver_keeps_no_other_waiting(
    town: Town, receiver: Receiver, deliverer: Deliverer
) -> None:
    slow = a_webhook(town, receiver)
    quick = town.outreach.webhooks.add(ISSUER, receiver.url + "/quick")
    town.launch(holdout_bps=0)
    town.run()
    receiver.answer = lambda got: (204, {}, b"") if got.path.endswith("quick") else slowly(0.4)(got)

    deliverer.look(ISSUER)

    until(lambda: sum(got.path.endswith("quick") for got in receiver.got) == 40, 10)
    assert sum(not got.path.endswith("quick") for got in receiver.got) < 40
    receiver.answer = lambda _: (410, {}, b"")
    until(lambda: town.outreach.webhooks.get(ISSUER, slow.webhook_id).disabled, 10)
    town.outreach.webhooks.remove(ISSUER, quick.webhook_id)


def test_F26_deliveries_of_a_worker_that_died_come_back_after_the_lease(
    town: Town, receiver: Receiver, deliverer: Deliverer
) -> None:
    webhook = a_webhook(town, receiver)
    town.launch(holdout_bps=0)
    town.run()
    taken = town.outreach.webhooks.lease(ISSUER, webhook.webhook_id, town.clock(), 100)
    assert len(taken) == 40

    assert deliverer.deliver(ISSUER, webhook) == 0
    town.clock.pass_time(seconds=61)
    assert deliverer.deliver(ISSUER, webhook) == 40


def test_what_is_erased_from_the_gateways_stream_is_delivered_to_no_webhook(
    town: Town, receiver: Receiver, deliverer: Deliverer
) -> None:
    webhook = a_webhook(town, receiver)
    town.launch(holdout_bps=0)
    town.run()
    sweeper = Sweeper(town.stores.durable, town.stores.cache)
    sweeper.sweep(ISSUER, lambda who: who in {"ch_1", "ch_2"})

    assert deliverer.deliver(ISSUER, webhook) == 38
    told = b" ".join(got.body for got in receiver.got)
    assert b'"ch_1"' not in told
    assert b'"ch_2"' not in told


def test_F40_another_issuers_webhook_is_not_there(town: Town, receiver: Receiver) -> None:
    webhook = a_webhook(town, receiver)

    with pytest.raises(NotFoundError):
        town.outreach.webhooks.get("other", webhook.webhook_id)
    with pytest.raises(NotFoundError):
        town.outreach.webhooks.remove("other", webhook.webhook_id)
    with pytest.raises(NotFoundError):
        town.outreach.webhooks.replay(ISSUER, webhook.webhook_id, "none", NOON)
