"""A notification that is made by hand, to be tampered with, and what a host answers it. Never judges an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import aiohttp

from dispatcher.flow.pings.event import ping_event, ping_state
from dispatcher.model.event import Event
from dispatcher.model.ping import PingResult
from dispatcher.policy.answer_body import read_fields
from dispatcher.policy.notification import build_body
from dispatcher.policy.signing import SigningKey, sign
from worker.ping.delivery import Bench

REFUSING_CODES = frozenset({"UNAUTHORIZED", "FORBIDDEN"})
"""With ``success: false`` a refusal, though its HTTP status is 200: many hosts answer 200 to everything."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` None: none came. ``says``: fields of its body."""

    status: int | None
    says: Mapping[str, object]

    @property
    def taken(self) -> bool:
        """Whether the host let it in."""
        if self.status is None or not 200 <= self.status < 300:
            return False
        refused = str(self.says.get("success")).lower() == "false"
        return not (refused and str(self.says.get("errorCode")).upper() in REFUSING_CODES)

    def __str__(self) -> str:
        return "no answer" if self.status is None else f"HTTP {self.status}"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification as it goes out, for the checks to tamper with."""

    url: str
    event: Event
    body: bytes
    headers: Mapping[str, str]
    timestamp_s: int


@dataclass(frozen=True, slots=True)
class Host:
    """One URL, with the token that opens it."""

    bench: Bench
    pinged: PingResult
    token: str | None

    def notice(self) -> Notice:
        """A genuine one with an id of its own: a host that only looks for ids that it knows is found out."""
        return _genuine(self.bench, self.pinged, self.token)


def _genuine(bench: Bench, pinged: PingResult, token: str | None) -> Notice:
    target, now_ms = bench.target, bench.now_ms()
    event = ping_event(target.integration, target.revision.number, pinged.event_type)
    body = build_body(
        event,
        ping_state(now_ms),
        base_url=bench.identity.base_url,
        partner=bench.identity.partner,
        account_identifier=None,
    )
    headers = {**target.fixed_headers, "webhook-id": event.id, "x-event-type": event.type.value}
    headers["x-delivery-attempt"] = "1"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    plain = Notice(pinged.url or "", event, body, headers, now_ms // 1000)
    return replace(plain, headers=signed(bench, plain))


def signed(bench: Bench, notice: Notice, keys: Sequence[SigningKey] | None = None) -> dict[str, str]:
    chosen = bench.target.signing_keys(bench.now_ms()) if keys is None else keys
    return {
        **notice.headers,
        "webhook-timestamp": str(notice.timestamp_s),
        "webhook-signature": sign(chosen, notice.event.id, notice.timestamp_s, notice.body),
    }


async def send(bench: Bench, notice: Notice, headers: Mapping[str, str]) -> Answer:
    try:
        got = await bench.sessions.post(
            bench.target.route, notice.url, notice.body, headers, timeout_s=bench.target.timeout_s
        )
    except (aiohttp.ClientError, OSError, ValueError):
        return Answer(None, {})
    return Answer(got.status, read_fields(got.body.data, got.headers.get("Content-Type")) or {})
