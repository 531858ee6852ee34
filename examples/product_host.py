"""A product host: checks every notification, answers 202, does its work once, reports the result.

    python examples/product_host.py --port 9000 --secret whsec_… --client-id … --client-secret …

Without a client id it answers at once instead of reporting later. Needs aiohttp and nothing of the dispatcher's.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

TOLERANCE_S = 300
REPORT_TRIES = 8

Answer = dict[str, Any]


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> None:
    """Standard Webhooks, scheme v1. Raises ValueError for whatever is not genuine and fresh."""
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise ValueError("webhook-timestamp is missing or more than five minutes from now")
    content = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, content, "sha256"))
    entries = [entry.partition(",") for entry in headers.get("webhook-signature", "").split()]
    if not any(scheme == "v1" and hmac.compare_digest(expected, given.encode()) for scheme, _, given in entries):
        raise ValueError("no entry of webhook-signature was made with this secret for these bytes")


def work(event: Answer) -> Answer:
    """What the product does. An order is answered with the account that was made for it."""
    if event["type"] == "SUBSCRIPTION_ORDER":
        return {"success": True, "accountIdentifier": f"account-of-{event['accountId']}"}
    return {"success": True}


@dataclass(slots=True)
class Reporter:
    """Reports results with the inbound client's token. Repeats until the dispatcher has the result or refuses it."""

    dispatcher_url: str
    client_id: str
    client_secret: str
    token: str | None = None

    async def report(self, event_id: str, result: Answer) -> None:
        url = f"{self.dispatcher_url}/api/integration/v1/events/{event_id}/result"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            for attempt in range(REPORT_TRIES):
                try:
                    if await self._post(session, url, result):
                        return
                except (aiohttp.ClientError, TimeoutError) as error:
                    print(f"result of {event_id} not sent yet: {error}", flush=True)
                await asyncio.sleep(min(30.0, 0.2 * 2**attempt))
        print(f"result of {event_id} could not be reported", flush=True)

    async def _post(self, session: aiohttp.ClientSession, url: str, result: Answer) -> bool:
        self.token = self.token or await self._fetch_token(session)
        async with session.post(url, json=result, headers={"Authorization": f"Bearer {self.token}"}) as answer:
            print(f"result reported: {answer.status}", flush=True)
            if answer.status == 401:
                self.token = None
            return answer.status != 401 and answer.status < 500

    async def _fetch_token(self, session: aiohttp.ClientSession) -> str:
        async with session.post(
            f"{self.dispatcher_url}/oauth2/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": aiohttp.encode_basic_auth(self.client_id, self.client_secret)},
            raise_for_status=True,
        ) as answer:
            return str((await answer.json())["access_token"])


class ProductHost:
    """A notification is known by its ``webhook-id``. A real host keeps the ids where it keeps its accounts."""

    def __init__(self, secret: str, reporter: Reporter | None = None) -> None:
        self.results: dict[str, Answer] = {}
        self._secret = secret
        self._reporter = reporter
        self._reports: set[asyncio.Task[None]] = set()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/notifications", self.notification)
        return app

    async def notification(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            verify(self._secret, request.headers, body, time.time())
        except ValueError as error:
            print(f"refused: {error}", flush=True)
            return web.json_response({"success": False, "message": str(error)}, status=401)
        event = json.loads(body)
        if event["flag"] == "STATELESS":
            return web.json_response({"success": True})
        repeated = event["id"] in self.results
        if not repeated:
            self.results[event["id"]] = work(event)
        print(f"{event['type']} of {event['accountId']}, {'seen before' if repeated else 'new'}", flush=True)
        return self._answer(event["id"])

    def _answer(self, event_id: str) -> web.Response:
        result = self.results[event_id]
        if self._reporter is None:
            return web.json_response(result)
        task = asyncio.create_task(self._reporter.report(event_id, result))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)
        return web.json_response({}, status=202)


def main() -> None:
    arguments = argparse.ArgumentParser(description="A product host that verifies notifications.")
    arguments.add_argument("--port", type=int, default=9000)
    arguments.add_argument("--secret", required=True, help="the integration's signingSecret, whsec_…")
    arguments.add_argument("--dispatcher", default="http://127.0.0.1:8080")
    arguments.add_argument("--client-id", help="of the inbound client: answer 202 and report the result later")
    arguments.add_argument("--client-secret", default="")
    given = arguments.parse_args()
    reporter = Reporter(given.dispatcher, given.client_id, given.client_secret) if given.client_id else None
    web.run_app(ProductHost(given.secret, reporter).app(), host="127.0.0.1", port=given.port, print=None)


if __name__ == "__main__":
    main()
