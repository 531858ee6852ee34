"""Sends what a host must refuse: a forged signature, a stale timestamp, no token, the same notification twice.

A host that takes a forgery fails. Nothing can be said of a host that refuses the genuine notification as well,
so that one goes first. A repeat is no forgery: at-least-once delivery repeats ids, hence a host passes when it
answers the same again or refuses the repeat, and fails when it breaks or answers as if the work was done anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import aiohttp

from dispatcher.flow.ping_event import ping_event, ping_state
from dispatcher.model.event import Event
from dispatcher.model.integration import CredentialType
from dispatcher.model.ping import CheckName, PingResult, PingStatus, SecurityCheck
from dispatcher.policy.answer_body import read_fields
from dispatcher.policy.notification import build_body
from dispatcher.policy.signing import HmacKey, SigningKey, generate_secret, generate_seed, parse_secret, sign
from dispatcher.policy.verification import TOLERANCE_S
from worker.answer_body import read_bounded
from worker.connector import post
from worker.ping_delivery import Bench, token_step
from worker.ping_words import CHECK_REMEDIES

STALE_S = 2 * TOLERANCE_S
REFUSING_CODES = frozenset({"UNAUTHORIZED", "FORBIDDEN"})
"""With ``success: false`` a refusal, though its HTTP status is 200: many hosts answer 200 to everything."""
MADE_ANEW = ("accountIdentifier", "userIdentifier")
"""What a repeat must not change."""
INCONCLUSIVE = "nothing can be said: the genuine notification was not taken either"
FIRST_GENUINE = "Make the ping itself pass first, then check again."


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


Check = Callable[[Bench, Notice, Answer], Awaitable[tuple[Answer, bool, str]]]
"""Gets the genuine notification and its answer; returns another answer, whether it is as it should be, and words."""


async def check_security(bench: Bench, results: Sequence[PingResult]) -> tuple[SecurityCheck, ...]:
    """Every check for each URL that was pinged, one after the other at each."""
    by_url = {one.url: one for one in reversed(results) if one.url}
    checked = await asyncio.gather(*(_check_url(bench, one) for one in reversed(by_url.values())))
    return tuple(check for checks in checked for check in checks)


async def _check_url(bench: Bench, pinged: PingResult) -> list[SecurityCheck]:
    blank = SecurityCheck(CheckName.FORGED_SIGNATURE, pinged.event_type, pinged.url or "", PingStatus.FAILED, "")
    token = await token_step(bench)
    genuine = None
    if pinged.status is PingStatus.PASSED and token.ok is not False:
        genuine = _genuine(bench, pinged, token.value)
    first = await _send(bench, genuine, genuine.headers) if genuine else Answer(None, {})
    checks = []
    for name, check in CHECKS.items():
        told = replace(blank, name=name, tested_ms=bench.now_ms())
        if genuine is None or not first.taken:
            checks.append(replace(told, text=INCONCLUSIVE, remedy=FIRST_GENUINE))
        elif name is CheckName.MISSING_TOKEN and bench.target.credentials.type is CredentialType.NONE:
            text = "the integration has no credentials, so no token goes with its notifications"
            checks.append(replace(told, status=PingStatus.NOT_CONFIGURED, text=text))
        else:
            checks.append(await _checked(bench, told, check, genuine, first))
    return checks


async def _checked(bench: Bench, told: SecurityCheck, check: Check, genuine: Notice, first: Answer) -> SecurityCheck:
    begun_s = time.perf_counter()
    answer, well, text = await check(bench, genuine, first)
    return replace(
        told,
        status=PingStatus.PASSED if well else PingStatus.FAILED,
        text=text,
        remedy=None if well else CHECK_REMEDIES[told.name],
        http_status=answer.status,
        duration_ms=(time.perf_counter() - begun_s) * 1000,
    )


async def _forged(bench: Bench, genuine: Notice, _: Answer) -> tuple[Answer, bool, str]:
    stranger = [
        parse_secret(generate_secret() if isinstance(key, HmacKey) else generate_seed())
        for key in bench.target.signing_keys(bench.now_ms())
    ]
    return _refusal(await _send(bench, genuine, _signed(bench, genuine, stranger)), "signed with another secret")


async def _stale(bench: Bench, genuine: Notice, _: Answer) -> tuple[Answer, bool, str]:
    old = replace(genuine, timestamp_s=genuine.timestamp_s - STALE_S)
    return _refusal(await _send(bench, old, _signed(bench, old)), f"{STALE_S // 60} minutes old, correctly signed")


async def _without_token(bench: Bench, genuine: Notice, _: Answer) -> tuple[Answer, bool, str]:
    headers = {name: value for name, value in genuine.headers.items() if name.lower() != "authorization"}
    return _refusal(await _send(bench, genuine, headers), "correctly signed, without Authorization")


async def _replayed(bench: Bench, genuine: Notice, first: Answer) -> tuple[Answer, bool, str]:
    again = await _send(bench, genuine, genuine.headers)
    if again.status is None or again.status >= 500:
        return again, False, f"the host broke at the same notification again: {again}"
    if not again.taken:
        return again, True, f"the same notification again: refused with {again}"
    if any(again.says.get(made) != first.says.get(made) for made in MADE_ANEW):
        return again, False, f"the same notification again: {again}, and something new was made of it"
    return again, True, f"the same notification again: {again}, and nothing new was made of it"


CHECKS: dict[CheckName, Check] = {
    CheckName.FORGED_SIGNATURE: _forged,
    CheckName.STALE_TIMESTAMP: _stale,
    CheckName.MISSING_TOKEN: _without_token,
    CheckName.REPLAYED_ID: _replayed,
}


def _refusal(answer: Answer, what: str) -> tuple[Answer, bool, str]:
    """A forgery must not be taken; how it is turned away is the host's choice."""
    return answer, not answer.taken, f"{what}: {'taken with' if answer.taken else 'refused with'} {answer}"


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
    return replace(plain, headers=_signed(bench, plain))


def _signed(bench: Bench, notice: Notice, keys: Sequence[SigningKey] | None = None) -> dict[str, str]:
    chosen = bench.target.signing_keys(bench.now_ms()) if keys is None else keys
    return {
        **notice.headers,
        "webhook-timestamp": str(notice.timestamp_s),
        "webhook-signature": sign(chosen, notice.event.id, notice.timestamp_s, notice.body),
    }


async def _send(bench: Bench, notice: Notice, headers: Mapping[str, str]) -> Answer:
    try:
        async with post(
            bench.session, notice.url, notice.body, dict(headers), timeout_s=bench.target.timeout_s
        ) as answer:
            content = await read_bounded(answer)
            fields = read_fields(content.data, answer.headers.get("Content-Type")) or {}
            return Answer(answer.status, fields)
    except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError):
        return Answer(None, {})
