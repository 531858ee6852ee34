"""Operational events as chat messages: checks the signature, says each in a sentence, posts it to an incoming webhook.

    python examples/operations_to_chat.py --port 9100 --secret whsec_… --chat https://chat.example/hooks/…

Set DISPATCHER_OPERATIONS_URL to http://127.0.0.1:9100/ and DISPATCHER_OPERATIONS_SECRET to the same secret. Slack,
Mattermost, Rocket.Chat and Google Chat take `{"text": …}`. Needs aiohttp and nothing of the dispatcher's.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web

TOLERANCE_S = 300
REMEMBERED = 1000
"""Ids of messages that are not posted twice: a delivery may be repeated."""

Message = dict[str, Any]

SENTENCES: dict[str, str] = {
    "problem.opened": "[{severity}] {text}",
    "problem.ended": "Over: {kind}.",
    "event.dead": "Events of {integrationId} die: {error}. `dispatcher status` counts them.",
    "circuit.opened": "{integrationId} cannot be reached; its events wait, none is lost.",
    "circuit.closed": "{integrationId} can be reached again.",
    "credentials.failing": "No token for {integrationId}: {error}.",
    "credentials.authorized": "There is a token for {integrationId} again.",
    "url.suspended": "{integrationId} answered 410 Gone at {url}; its events are parked.",
    "integration.failing": "{integrationId} fails for {percent} % of the time after which it is disabled: {error}.",
    "integration.disabled": "{text}",
    "integration.enabled": "{integrationId} is enabled again.",
}
"""By the type of an event. Any other is posted as its type and what it is about."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, now_s: float) -> None:
    """Standard Webhooks, scheme v1. Raises ValueError for whatever is not genuine and fresh."""
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise ValueError("webhook-timestamp is missing or more than five minutes from now")
    content = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, "sha256"))
    entries = [entry.partition(",") for entry in headers.get("webhook-signature", "").split()]
    if not any(scheme == "v1" and hmac.compare_digest(expected, given.encode()) for scheme, _, given in entries):
        raise ValueError("no entry of webhook-signature was made with this secret for these bytes")


def sentence(event: Message) -> str:
    """One event as somebody in a chat would say it."""
    data = {name: "?" if value is None else value for name, value in event["data"].items()}
    known = SENTENCES.get(event["type"], f"{event['type']}: {{integrationId}}")
    count = event["data"].get("count", 1)
    more = f" ({count} of them)" if count > 1 else ""
    return known.format_map(_Lenient(data)) + more


class _Lenient(dict[str, Any]):
    """A field that a version does not send is no reason to be silent."""

    def __missing__(self, name: str) -> str:
        return "?"


class Forwarder:
    """Posts each message once it is told; a chat that is away makes the dispatcher repeat the delivery."""

    def __init__(self, secret: str, chat_url: str) -> None:
        self._secret = secret
        self._chat_url = chat_url
        self._posted: OrderedDict[str, None] = OrderedDict()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/", self.told)
        return app

    async def told(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            verify(self._secret, request.headers, body, time.time())
        except ValueError as error:
            return web.json_response({"success": False, "message": str(error)}, status=401)
        event = json.loads(body)
        if event["id"] not in self._posted:
            if not await self._post(sentence(event)):
                return web.json_response({"success": False, "message": "the chat took nothing"}, status=503)
            self._remember(event["id"])
        return web.json_response({"success": True})

    async def _post(self, text: str) -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
                session.post(self._chat_url, json={"text": text}) as answer,
            ):
                return answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False

    def _remember(self, event_id: str) -> None:
        self._posted[event_id] = None
        while len(self._posted) > REMEMBERED:
            self._posted.popitem(last=False)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Operational events as chat messages.")
    arguments.add_argument("--port", type=int, default=9100)
    arguments.add_argument("--secret", required=True, help="DISPATCHER_OPERATIONS_SECRET, whsec_…")
    arguments.add_argument("--chat", required=True, help="address of the chat's incoming webhook")
    given = arguments.parse_args()
    web.run_app(Forwarder(given.secret, given.chat).app(), host="127.0.0.1", port=given.port, print=None)


if __name__ == "__main__":
    main()
