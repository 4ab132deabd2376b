"""Delivers pushes to webhooks: at least once with a stable id, in the form of Standard Webhooks.

Each webhook has a thread at most, so that one that is slow, down or huge delays only itself.
"""

import base64
import hashlib
import hmac
import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from recsvc.logs import Log
from recsvc.metrics import Metrics
from recsvc.outreach.webhook_client import (
    Answered,
    DeliveryFailedError,
    UnsafeAddressError,
    WebhookClient,
)
from recsvc.stores.outreach.webhooks import Delivery, Webhook, WebhookStore

MOST_ATTEMPTS = 8
PAUSES = (5, 60, 300, 1_800, 7_200, 18_000, 57_600)
"""Seconds after the first to the seventh failure; together a little under 24 hours."""

AT_ONCE = 4
THREADS = 16
GONE = 410


def signed_headers(webhook: Webhook, push_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Headers of Standard Webhooks 1.0: ``v1,`` and HMAC-SHA256 of ``id.timestamp.body``."""
    stamp = str(int(now.timestamp()))
    text = f"{push_id}.{stamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(webhook.key, text, hashlib.sha256)).decode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "recsvc-webhooks/1",
        "webhook-id": push_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{signature}",
    }


def pause_after(attempts: int, chance: random.Random) -> timedelta | None:
    """Pause before the next attempt, spread by up to a tenth; None when there is none."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return timedelta(seconds=PAUSES[attempts - 1] * chance.uniform(0.9, 1.1))


class Deliverer:
    """Delivers what is due, webhook by webhook.

    Parameters
    ----------
    store : WebhookStore
    client : WebhookClient
    clock : aware now
    log, metrics : where what became of deliveries is told
    chance : spreads retries
    """

    def __init__(
        self,
        store: WebhookStore,
        client: WebhookClient,
        *,
        clock: Callable[[], datetime],
        log: Log,
        metrics: Metrics,
        chance: random.Random,
    ) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._chance = chance
        self._pool = ThreadPoolExecutor(THREADS, "webhook")
        self._busy: dict[tuple[str, str], Future[int]] = {}

    def look(self, issuer_id: str) -> None:
        """Begin to deliver what is due to each webhook that is not being delivered to."""
        for webhook in self._store.all(issuer_id):
            mark = (issuer_id, webhook.webhook_id)
            running = self._busy.get(mark)
            if webhook.disabled is None and (running is None or running.done()):
                self._busy[mark] = self._pool.submit(self.deliver, issuer_id, webhook)

    def deliver(self, issuer_id: str, webhook: Webhook) -> int:
        """Deliver what is due to one webhook, until it fails or nothing is due."""
        taken = 0
        while True:
            due = self._store.lease(issuer_id, webhook.webhook_id, self._clock(), AT_ONCE)
            for delivery in due:
                if not self._attempt(issuer_id, webhook, delivery):
                    return taken
                taken += 1
            if not due:
                return taken

    def _attempt(self, issuer_id: str, webhook: Webhook, delivery: Delivery) -> bool:
        """Try once; whether the receiver took it."""
        headers = signed_headers(webhook, delivery.push_id, delivery.body, self._clock())
        try:
            answer = self._client.post(webhook.url, delivery.body, headers)
        except UnsafeAddressError:
            self._switch_off(issuer_id, webhook, "unsafe_address")
            return False
        except DeliveryFailedError as failure:
            return self._failed(issuer_id, webhook, delivery, str(failure))
        return self._answered(issuer_id, webhook, delivery, answer)

    def _answered(
        self, issuer_id: str, webhook: Webhook, delivery: Delivery, answer: Answered
    ) -> bool:
        if answer.is_taken:
            name = (issuer_id, webhook.webhook_id, delivery.push_id)
            self._store.delivered(*name, answer.status)
            self._metrics.happened("webhook_delivered")
            return True
        if answer.status == GONE:
            self._switch_off(issuer_id, webhook, "gone")
            return False
        return self._failed(issuer_id, webhook, delivery, f"status_{answer.status}")

    def _failed(self, issuer_id: str, webhook: Webhook, delivery: Delivery, reason: str) -> bool:
        pause = pause_after(delivery.attempts + 1, self._chance)
        name = (issuer_id, webhook.webhook_id, delivery.push_id)
        if pause is None:
            self._store.given_up(*name, reason)
            self._metrics.happened("webhook_given_up")
        else:
            self._store.retry(*name, self._clock() + pause)
            self._metrics.happened("webhook_retried")
        return False

    def _switch_off(self, issuer_id: str, webhook: Webhook, reason: str) -> None:
        self._store.disable(issuer_id, webhook.webhook_id, reason)
        self._metrics.happened("webhook_switched_off")
        self._log.warning(
            "webhook_switched_off",
            issuer_id=issuer_id,
            webhook_id=webhook.webhook_id,
            reason=reason,
        )

    def close(self) -> None:
        """Wait for what is being posted, and begin nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
