"""One notification of a ping test, made and sent as every other one is, with a result for each step.

Never retries, never counts, never notifies eventStatusUrl, and leaves nothing in the list of events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dispatcher.clock import Clock
from dispatcher.flow.pings.event import ping_event, ping_state
from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import CredentialType
from dispatcher.model.ping import PingResult, PingStatus, PingStep, StepName
from dispatcher.policy.notification.signing import current_keys
from dispatcher.policy.secrets.redaction import scrub
from dispatcher.store.queue.owning.claims import Claimed
from worker.delivery.deliver import hidden
from worker.delivery.delivery import Delivery, Identity, Reading
from worker.delivery.sending import Sender
from worker.delivery.targets.target import Target
from worker.http.transport_sessions import TransportSessions
from worker.oauth.source import TokenSource
from worker.oauth.values import Token, TokenFailure
from worker.ping.connection import ConnectionCheck
from worker.ping.words import ANSWER_REMEDIES, status_remedy

PASSING = frozenset({Outcome.OK, Outcome.ACCEPTED, Outcome.REFUSED})
"""The host understood: a well-formed refusal of an invented account is as good as a success."""

_TOKEN_REMEDY = "Correct outboundCredentials, or the token endpoint; no notification is sent without a token."  # noqa: S105
_UNUSED = {
    CredentialType.NONE: "not needed: the integration has no credentials",
    CredentialType.BASIC: "not needed: user name and password go with each notification",
}


@dataclass(frozen=True, slots=True)
class PingContext:
    """Everything that the notifications of one test share."""

    target: Target
    sessions: TransportSessions
    tokens: TokenSource
    connections: ConnectionCheck
    identity: Identity
    clock: Clock

    def now_ms(self) -> int:
        return self.clock.now_ms()

    @property
    def sender(self) -> Sender:
        return Sender(self.sessions, self.tokens, self.identity, self.clock)

    def delivery(self, event_type: EventType, url: str) -> Delivery:
        """A notification of its own, which no queue knows."""
        event, now_ms = ping_event(self.target.integration, self.target.revision.number, event_type), self.now_ms()
        claimed = Claimed(event, ping_state(now_ms), n=1, account_identifier=None)
        return Delivery(claimed, self.target, url, now_ms, time.perf_counter())


async def ping(context: PingContext, asked: PingResult) -> PingResult:
    """The outcome for one type; one without a URL is not sent."""
    if not asked.url:
        text = f"no URL is configured for {asked.event_type}"
        return replace(asked, status=PingStatus.NOT_CONFIGURED, message=text, tested_ms=context.now_ms())
    begun_s = time.perf_counter()
    connection_steps, token = await asyncio.gather(
        context.connections.steps(asked.url, context.target.route), token_step(context)
    )
    if token.ok is False:
        result = replace(asked, status=PingStatus.FAILED, success=False, error_code=token.code, message=token.step.text)
        sent_steps: Sequence[PingStep] = ()
    else:
        result, sent_steps = await _sent(context, asked, asked.url)
    return replace(
        result,
        duration_ms=(time.perf_counter() - begun_s) * 1000,
        tested_ms=context.now_ms(),
        steps=all_steps([*connection_steps, token.step, *sent_steps]),
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


async def token_step(context: PingContext) -> TokenStep:
    """Get a token where the credentials call for one."""
    credentials = context.target.credentials
    if credentials.type is not CredentialType.OAUTH2:
        return TokenStep(PingStep(StepName.TOKEN, text=_UNUSED[credentials.type]))
    begun_s = time.perf_counter()
    got = await context.tokens.token(credentials, context.target.token_scope, context.target.route)
    duration_ms = (time.perf_counter() - begun_s) * 1000
    if isinstance(got, TokenFailure):
        text = scrub(got.detail, context.target.secrets)
        return TokenStep(PingStep(StepName.TOKEN, False, duration_ms, text, _TOKEN_REMEDY), got.code)
    return TokenStep(
        PingStep(StepName.TOKEN, True, duration_ms, _granted(got, context.now_ms() / 1000)), value=got.value
    )


def all_steps(taken: Sequence[PingStep]) -> tuple[PingStep, ...]:
    """Every step in order; those that were not taken say so."""
    by_name = {step.name: step for step in taken}
    return tuple(by_name.get(name) or PingStep(name) for name in StepName)


async def _sent(context: PingContext, asked: PingResult, url: str) -> tuple[PingResult, Sequence[PingStep]]:
    delivery = context.delivery(asked.event_type, url)
    reading = await context.sender.send(delivery)
    duration_ms = (time.perf_counter() - delivery.begun_s) * 1000
    verdict = reading.verdict
    passed = verdict.outcome in PASSING
    result = replace(
        asked,
        status=PingStatus.PASSED if passed else PingStatus.FAILED,
        success=passed and verdict.outcome is not Outcome.REFUSED,
        http_status=reading.http_status,
        error_code=verdict.error_code,
        message=scrub(verdict.message, hidden(delivery, reading)) if verdict.message else None,
    )
    return result, _post_steps(context, result, reading, duration_ms)


def _post_steps(context: PingContext, result: PingResult, reading: Reading, duration_ms: float) -> Sequence[PingStep]:
    if reading.http_status is None:
        remedy = ANSWER_REMEDIES.get(reading.verdict.outcome)
        return (PingStep(StepName.POST, False, duration_ms, result.message or "not sent", remedy),)
    signatures = len(current_keys(context.target.keys, context.now_ms()))
    text = f"sent with {signatures} signature{'' if signatures == 1 else 's'}, answered in {duration_ms:.0f} ms"
    return PingStep(StepName.POST, True, duration_ms, text), _answer_step(result, reading)


def _answer_step(result: PingResult, reading: Reading) -> PingStep:
    said = " ".join(filter(None, (result.error_code, result.message)))
    text = f"HTTP {reading.http_status}" + (f": {said}" if said else "")
    if result.status is PingStatus.PASSED:
        kind = {Outcome.ACCEPTED: ", accepted for later", Outcome.REFUSED: " (a well-formed error)"}
        return PingStep(StepName.ANSWER, True, None, text + kind.get(reading.verdict.outcome, ""))
    remedy = ANSWER_REMEDIES.get(reading.verdict.outcome) or status_remedy(reading.http_status or 0)
    return PingStep(StepName.ANSWER, False, None, text, remedy)


def _granted(token: Token, now_s: float) -> str:
    left_s = token.expires_at_s - now_s
    return f"granted, good for {left_s:.0f} s" if left_s > 0 else "granted, without a lifetime: it is fetched each time"
