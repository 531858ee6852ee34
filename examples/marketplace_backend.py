"""A marketplace backend: emits an order so that it is accepted once, whatever fails on the way, and waits for its end.

    python examples/marketplace_backend.py --product shop --account acme --order order-4711

Reads DISPATCHER_URL, CLIENT_ID and CLIENT_SECRET. Needs aiohttp and nothing of the dispatcher's.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

TRIES = 6
EXPIRY_MARGIN_S = 30.0

Json = dict[str, Any]


class NotAccepted(Exception):
    """The dispatcher refused the event, or could not be reached; the text says why."""


@dataclass(slots=True)
class Backend:
    """One token is kept until shortly before it expires."""

    session: aiohttp.ClientSession
    url: str
    client_id: str
    client_secret: str
    token: str = ""
    expires_s: float = 0.0

    async def emit(self, event: Json, idempotency_key: str) -> Json:
        """Accept one event. The key is the order's own id, so that a repeat after any failure is the same event."""
        last = "no attempt was made"
        for attempt in range(TRIES):
            try:
                return await self._emit_once(event, idempotency_key)
            except (aiohttp.ClientError, TimeoutError) as error:
                last = str(error) or type(error).__name__
            await asyncio.sleep(min(10.0, 0.2 * 2**attempt))
        raise NotAccepted(f"no answer after {TRIES} attempts: {last}")

    async def end_of(self, event_id: str, within_s: float) -> Json:
        """The event once it is terminal, or as it is after ``within_s``. Each request waits up to 30 s."""
        deadline_s = time.monotonic() + within_s
        while True:
            wait_s = max(0, min(30, round(deadline_s - time.monotonic())))
            async with self.session.get(
                f"{self.url}/v1/events/{event_id}",
                params={"wait": wait_s},
                headers=await self._authorization(),
                raise_for_status=True,
            ) as answer:
                event: Json = await answer.json()
            if event["consumed"] or wait_s == 0:
                return event

    async def _emit_once(self, event: Json, idempotency_key: str) -> Json:
        headers = await self._authorization() | {"Idempotency-Key": idempotency_key}
        async with self.session.post(f"{self.url}/v1/events", json=event, headers=headers) as answer:
            if answer.status == 401:
                self.token = ""
            if answer.status in (401, 429) or answer.status >= 500:
                answer.raise_for_status()
            body: Json = await answer.json()
            if answer.status != 202:
                raise NotAccepted("; ".join(f"{error['code']}: {error['message']}" for error in body["errors"]))
            return body | {"replayed": answer.headers.get("Idempotency-Replayed") == "true"}

    async def _authorization(self) -> dict[str, str]:
        if not self.token or time.monotonic() > self.expires_s:
            begun_s = time.monotonic()
            async with self.session.post(
                f"{self.url}/oauth2/token",
                data={"grant_type": "client_credentials"},
                headers={"Authorization": aiohttp.encode_basic_auth(self.client_id, self.client_secret)},
                raise_for_status=True,
            ) as answer:
                body = await answer.json()
            self.token, self.expires_s = body["access_token"], begun_s + body["expires_in"] - EXPIRY_MARGIN_S
        return {"Authorization": f"Bearer {self.token}"}


async def run(product: str, account: str, order: str) -> None:
    event = {
        "type": "SUBSCRIPTION_ORDER",
        "productId": product,
        "accountId": account,
        "payload": {"order": {"editionCode": "BASIC", "items": [{"unit": "USER", "quantity": 25}]}},
    }
    url = os.environ.get("DISPATCHER_URL", "http://127.0.0.1:8080")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=40)) as session:
        backend = Backend(session, url, os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
        accepted = await backend.emit(event, idempotency_key=order)
        print(f"accepted {accepted['id']}{' before' if accepted['replayed'] else ''}", flush=True)
        ended = await backend.end_of(accepted["id"], within_s=60)
        print(f"{ended['status']} after {ended['attempts']} attempt(s)", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Emit one order, once.")
    arguments.add_argument("--product", required=True)
    arguments.add_argument("--account", required=True)
    arguments.add_argument("--order", required=True, help="becomes the Idempotency-Key")
    given = arguments.parse_args()
    asyncio.run(run(given.product, given.account, given.order))


if __name__ == "__main__":
    main()
