"""One notification of a ping test, made and sent as every other one is, and told step by step.

Never retries, never counts, never tells eventStatusUrl, and leaves nothing in the list of events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dispatcher.clock import steady_clock
from dispatcher.flow.pings.event import ping_event, ping_state
from dispatcher.model.attempt import Outcome
from dispatcher.model.integration import CredentialType
from dispatcher.model.ping import PingResult, PingStatus, PingStep, StepName
from dispatcher.policy.redaction import scrub
from worker.delivery.attempt import Identity, Sender, Sent
from worker.delivery.target import Target
from worker.http.transport_sessions import TransportSessions
from worker.oauth.source import TokenSource
from worker.oauth.values import Token, TokenFailure
from worker.ping.connection import Wayfinder
from worker.ping.words import ANSWER_REMEDIES, status_remedy

PASSING = frozenset({Outcome.OK, Outcome.ACCEPTED, Outcome.REFUSED})
"""The host understood: a well-formed refusal of an invented account is as good as a success."""

_TOKEN_REMEDY = "Correct outboundCredentials, or the token endpoint; no notification is sent without a token."  # noqa: S105
_UNUSED = {
    CredentialType.NONE: "not needed: the integration has no credentials",
    CredentialType.BASIC: "not needed: user name and password go with each notification",
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What the notifications of one test share. ``offset_ms``: the store's clock minus the steady one."""

    target: Target
    sessions: TransportSessions
    tokens: TokenSource
    ways: Wayfinder
    identity: Identity
    offset_ms: int

    def now_ms(self) -> int:
        return int(steady_clock() * 1000) + self.offset_ms


async def ping(bench: Bench, asked: PingResult) -> PingResult:
    """The outcome for one type; one without a URL is not sent."""
    if not asked.url:
        text = f"no URL is configured for {asked.event_type}"
        return replace(asked, status=PingStatus.NOT_CONFIGURED, message=text, tested_ms=bench.now_ms())
    begun_s = time.perf_counter()
    way, token = await asyncio.gather(bench.ways.look(asked.url, bench.target.route), token_step(bench))
    if token.ok is False:
        told = replace(asked, status=PingStatus.FAILED, success=False, error_code=token.code, message=token.step.text)
        sent_steps: Sequence[PingStep] = ()
    else:
        told, sent_steps = await _sent(bench, asked, asked.url)
    return replace(
        told,
        duration_ms=(time.perf_counter() - begun_s) * 1000,
        tested_ms=bench.now_ms(),
        steps=all_steps([*way, token.step, *sent_steps]),
    )


@dataclass(frozen=True, slots=True)
class TokenStep:
    """``code``: the error code that goes with a failure; ``value`` None = none needed, or none got."""

    step: PingStep
    code: str | None = None
    value: str | None = None

    @property
    def ok(self) -> bool | None:
        return self.step.ok


async def token_step(bench: Bench) -> TokenStep:
    """Get a token where the credentials call for one."""
    credentials = bench.target.credentials
    if credentials.type is not CredentialType.OAUTH2:
        return TokenStep(PingStep(StepName.TOKEN, text=_UNUSED[credentials.type]))
    begun_s = time.perf_counter()
    got = await bench.tokens.token(credentials, bench.target.token_scope, bench.target.route)
    duration_ms = (time.perf_counter() - begun_s) * 1000
    if isinstance(got, TokenFailure):
        text = scrub(got.detail, bench.target.secrets)
        return TokenStep(PingStep(StepName.TOKEN, False, duration_ms, text, _TOKEN_REMEDY), got.code)
    return TokenStep(PingStep(StepName.TOKEN, True, duration_ms, _granted(got, bench.now_ms() / 1000)), value=got.value)


def all_steps(taken: Sequence[PingStep]) -> tuple[PingStep, ...]:
    """Every step in order; those that were not taken say so."""
    by_name = {step.name: step for step in taken}
    return tuple(by_name.get(name) or PingStep(name) for name in StepName)


async def _sent(bench: Bench, asked: PingResult, url: str) -> tuple[PingResult, Sequence[PingStep]]:
    event = ping_event(bench.target.integration, bench.target.revision.number, asked.event_type)
    sender = Sender(bench.sessions, bench.tokens, bench.identity)
    begun_s = time.perf_counter()
    sent = await sender.send(bench.target, url, event, ping_state(bench.now_ms()), 1, None, bench.offset_ms)
    duration_ms = (time.perf_counter() - begun_s) * 1000
    verdict = sent.verdict
    passed = verdict.outcome in PASSING
    result = replace(
        asked,
        status=PingStatus.PASSED if passed else PingStatus.FAILED,
        success=passed and verdict.outcome is not Outcome.REFUSED,
        http_status=sent.http_status,
        error_code=verdict.error_code,
        message=scrub(verdict.message, sent.hidden(bench.target.secrets)) if verdict.message else None,
    )
    return result, _post_steps(bench, result, sent, duration_ms)


def _post_steps(bench: Bench, result: PingResult, sent: Sent, duration_ms: float) -> Sequence[PingStep]:
    if sent.http_status is None:
        remedy = ANSWER_REMEDIES.get(sent.verdict.outcome)
        return (PingStep(StepName.POST, False, duration_ms, result.message or "not sent", remedy),)
    signatures = len(bench.target.signing_keys(bench.now_ms()))
    told = f"sent with {signatures} signature{'' if signatures == 1 else 's'}, answered in {duration_ms:.0f} ms"
    return PingStep(StepName.POST, True, duration_ms, told), _answer_step(result, sent)


def _answer_step(result: PingResult, sent: Sent) -> PingStep:
    said = " ".join(filter(None, (result.error_code, result.message)))
    text = f"HTTP {sent.http_status}" + (f": {said}" if said else "")
    if result.status is PingStatus.PASSED:
        kind = {Outcome.ACCEPTED: ", accepted for later", Outcome.REFUSED: " (a well-formed error)"}
        return PingStep(StepName.ANSWER, True, None, text + kind.get(sent.verdict.outcome, ""))
    remedy = ANSWER_REMEDIES.get(sent.verdict.outcome) or status_remedy(sent.http_status or 0)
    return PingStep(StepName.ANSWER, False, None, text, remedy)


def _granted(token: Token, now_s: float) -> str:
    left_s = token.expires_at_s - now_s
    return f"granted, good for {left_s:.0f} s" if left_s > 0 else "granted, without a lifetime: it is fetched each time"
