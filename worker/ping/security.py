"""Sends notifications that a host must refuse: forged, stale, without a token, or the same one twice.

A host that takes a forgery fails. Nothing can be said of a host that refuses the genuine notification as well,
so that one goes first. A repeat is no forgery: at-least-once delivery repeats ids, hence a host passes when it
answers the same again or refuses the repeat, and fails when it breaks or answers as if the work was done anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from dispatcher.model.integration import CredentialType
from dispatcher.model.ping import CheckName, PingResult, PingStatus, SecurityCheck
from dispatcher.policy.notification.signing import HmacKey, current_keys, generate_secret, generate_seed, parse_secret
from dispatcher.policy.notification.verification import TOLERANCE_S
from worker.delivery.delivery import Delivery
from worker.ping.delivery import PingContext, token_step
from worker.ping.notice import Answer, Host, send, sign_anew
from worker.ping.words import CHECK_REMEDIES

STALE_S = 2 * TOLERANCE_S
MADE_ANEW = ("accountIdentifier", "userIdentifier")
"""Fields of an answer that a repeat must not change."""
INCONCLUSIVE = "nothing can be said: the genuine notification was not taken either"
REFUSED_REPEAT = "a repeat after a lost answer would count as failed and be retried, so give the first answer again"
NO_CREDENTIALS = "the integration has no credentials, so no token goes with its notifications"
FIRST_GENUINE = "Make the ping itself pass first, then check again."


@dataclass(frozen=True, slots=True)
class Genuine:
    """The genuine notification, and the host's answer to it."""

    notice: Delivery
    answer: Answer


Judged = tuple[Answer, bool, str]
"""An answer, True when it is right, and a text about it."""
Check = Callable[[Host, Genuine], Awaitable[Judged]]


async def check_security(context: PingContext, results: Sequence[PingResult]) -> tuple[SecurityCheck, ...]:
    """Every check for each URL that was pinged, one after the other at each."""
    by_url = {one.url: one for one in reversed(results) if one.url}
    checked = await asyncio.gather(*(_check_url(context, one) for one in reversed(by_url.values())))
    return tuple(check for checks in checked for check in checks)


async def _check_url(context: PingContext, pinged: PingResult) -> list[SecurityCheck]:
    blank = SecurityCheck(CheckName.FORGED_SIGNATURE, pinged.event_type, pinged.url or "", PingStatus.FAILED, "")
    token = await token_step(context)
    host = Host(context, pinged, token.value)
    genuine = host.notice()
    first = Answer(None, {})
    if pinged.status is PingStatus.PASSED and token.ok is not False:
        first = await send(context, genuine)
    checks = []
    for name, check in CHECKS.items():
        pending = replace(blank, name=name, tested_ms=context.now_ms())
        if not first.taken:
            checks.append(replace(pending, text=INCONCLUSIVE, remedy=FIRST_GENUINE))
        elif name is CheckName.MISSING_TOKEN and context.target.credentials.type is CredentialType.NONE:
            checks.append(replace(pending, status=PingStatus.NOT_CONFIGURED, text=NO_CREDENTIALS))
        else:
            checks.append(await _checked(host, pending, check, Genuine(genuine, first)))
    return checks


async def _checked(host: Host, pending: SecurityCheck, check: Check, genuine: Genuine) -> SecurityCheck:
    begun_s = time.perf_counter()
    answer, well, text = await check(host, genuine)
    return replace(
        pending,
        status=PingStatus.PASSED if well else PingStatus.FAILED,
        text=text,
        remedy=None if well else CHECK_REMEDIES[pending.name],
        http_status=answer.status,
        duration_ms=(time.perf_counter() - begun_s) * 1000,
    )


async def _forged(host: Host, _: Genuine) -> Judged:
    stranger = [
        parse_secret(generate_secret() if isinstance(key, HmacKey) else generate_seed())
        for key in current_keys(host.context.target.keys, host.context.now_ms())
    ]
    notice = host.notice()
    sign_anew(notice, stranger, host.context.now_ms() // 1000)
    return _refusal(await send(host.context, notice), "signed with another secret")


async def _stale(host: Host, _: Genuine) -> Judged:
    notice, now_ms = host.notice(), host.context.now_ms()
    sign_anew(notice, current_keys(notice.target.keys, now_ms), now_ms // 1000 - STALE_S)
    answer = await send(host.context, notice)
    return _refusal(answer, f"{STALE_S // 60} minutes old, correctly signed")


async def _without_token(host: Host, _: Genuine) -> Judged:
    notice = host.notice()
    notice.headers = {name: value for name, value in notice.headers.items() if name.lower() != "authorization"}
    return _refusal(await send(host.context, notice), "correctly signed, without Authorization")


async def _replayed(host: Host, genuine: Genuine) -> Judged:
    again = await send(host.context, genuine.notice)
    text = f"the same notification again: {again}"
    if again.status is None or again.status >= 500:
        return again, False, f"{text}, the host broke"
    if not again.taken:
        return again, True, f"{text}, refused: {REFUSED_REPEAT}"
    if any(again.says.get(made) != genuine.answer.says.get(made) for made in MADE_ANEW):
        return again, False, f"{text}, and something new was made of it"
    return again, True, f"{text}, with the same answer; whether work was done twice only the host knows"


CHECKS: dict[CheckName, Check] = {
    CheckName.FORGED_SIGNATURE: _forged,
    CheckName.STALE_TIMESTAMP: _stale,
    CheckName.MISSING_TOKEN: _without_token,
    CheckName.REPLAYED_ID: _replayed,
}


def _refusal(answer: Answer, what: str) -> Judged:
    """A forgery must not be taken; how it is turned away is the host's choice."""
    return answer, not answer.taken, f"{what}: {'taken with' if answer.taken else 'refused with'} {answer}"
