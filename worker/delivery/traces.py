"""Spans of attempts whose events carry a trace: claim, token, POST, settle. Used only where spans are sent somewhere.

An event without a trace has no spans. What is left of an attempt that its worker lost is ended, and makes room.
"""

from __future__ import annotations

import time
from typing import Protocol

from dispatcher.model.attempt import ClaimId
from dispatcher.policy.notification.trace_context import TRACEPARENT
from dispatcher.store.queue.owning.claims import Claimed, Settlement
from dispatcher.telemetry.tracing import CLIENT, Span, Tracing
from worker.delivery.delivery import Authorization, Delivery, Reading
from worker.delivery.sending import Sender
from worker.oauth.values import TokenFailure

MOST_OPEN = 20_000
"""Attempts of one process; beyond that the oldest are those of partitions that it lost."""


class Clocks(Protocol):
    """Times of a span."""

    def __call__(self) -> int:
        """Nanoseconds since 1970."""


class AttemptTraces:
    """One per process."""

    def __init__(self, tracing: Tracing, now_ns: Clocks = time.time_ns) -> None:
        self._tracing = tracing
        self._now_ns = now_ns
        self._open: dict[ClaimId, Span] = {}

    def claimed(self, claimed: Claimed, asked_ago_s: float) -> None:
        """Its attempt begins now; the claim that it came with was asked for so long ago."""
        if claimed.event.trace is None:
            return
        asked_ns = self._now_ns() - int(asked_ago_s * 1e9)
        span = self._tracing.span("attempt", claimed.event.trace, started_ns=asked_ns)
        span.child("claim", started_ns=asked_ns).end()
        self._open[claimed.claim_id] = span
        if len(self._open) > MOST_OPEN:
            self._open.pop(next(iter(self._open))).end("it was not settled here")

    def step(self, claim_id: ClaimId, name: str) -> Span | None:
        """A request to the outside."""
        attempt = self._open.get(claim_id)
        return attempt.child(name, CLIENT) if attempt else None

    def settled(self, settlement: Settlement, asked_ago_s: float, problem: str | None) -> None:
        """The end of an attempt, whose outcome was sent to the store so long ago. ``problem``: it does not count."""
        attempt = self._open.pop(settlement.claimed.claim_id, None)
        if attempt is None:
            return
        attempt.child("settle", started_ns=self._now_ns() - int(asked_ago_s * 1e9)).end(problem)
        event, made = settlement.claimed.event, settlement.attempt
        attempt.end(
            problem or settlement.error_code,
            event_id=event.id,
            event_type=event.type.value,
            integration_id=event.integration_id,
            account_id=event.account_id,
            attempt=settlement.claimed.n,
            outcome=made.outcome.value if made else None,
            status=settlement.to.value,
        )


class TracedSender(Sender):
    """The same steps; those that talk to the outside are spans, and the host is told that of its POST."""

    def traced_by(self, traces: AttemptTraces) -> TracedSender:
        """Itself; told apart from how a sender is made."""
        self._traces = traces
        return self

    async def _authorise_anew(self, delivery: Delivery) -> Authorization | TokenFailure:
        span = self._traces.step(delivery.claimed.claim_id, "token")
        if span is None:
            return await super()._authorise_anew(delivery)
        problem: str | None = "it was broken off"
        try:
            found = await super()._authorise_anew(delivery)
            problem = "no token" if isinstance(found, TokenFailure) else None
            return found
        finally:
            span.end(problem)

    async def _posted(self, delivery: Delivery, authorization: Authorization) -> Reading:
        span = self._traces.step(delivery.claimed.claim_id, "POST")
        if span is None:
            return await super()._posted(delivery, authorization)
        delivery.headers[TRACEPARENT] = span.traceparent
        reading: Reading | None = None
        try:
            reading = await super()._posted(delivery, authorization)
            return reading
        finally:
            problem = reading.verdict.error_code if reading else "it was broken off"
            span.end(problem, http_status=reading.http_status if reading else None)
