"""Deliver: one claimed event to one settlement. Chooses URL and revision, attempts, and decides how the event goes on.

Never raises for what a host does; what goes wrong on our side gives the event back, and is logged.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import structlog

from dispatcher.clock import steady_clock
from dispatcher.flow.events.status_notice import status_notice
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event_type import TYPE_RULES
from dispatcher.model.integration import LaneLimits
from dispatcher.model.latency import HistogramNames
from dispatcher.model.status import Status
from dispatcher.policy.answers import Verdict
from dispatcher.policy.filters import FILTERED
from dispatcher.policy.redaction import scrub
from dispatcher.policy.retry import next_delay_s
from dispatcher.store.queue.partition import Claimed, Move, Settlement
from worker.delivery.attempt import Sender, Sent
from worker.delivery.lookup import Lookup
from worker.delivery.target import Target

MIN_PUT_OFF_MS = 50
NOT_ADMITTED_MS = 10
"""Until an event is claimed again that its lane had no room for; the store has the lane's limits by then."""

Count = Callable[[str, int], None]
"""Adds to a fleet-wide counter."""

Place = Callable[[LaneLimits], AbstractContextManager[bool]]
"""Takes a place in the event's lane for as long as it is entered; False when these limits leave none."""

_ATTEMPTS = {outcome: f"attempts:{outcome.value}" for outcome in Outcome}
_ATTEMPT_SECONDS = HistogramNames("attempt_seconds")
_DELIVERY_LATENCY = HistogramNames("delivery_latency")
_AS_PLANNED = frozenset({Outcome.OK, Outcome.ACCEPTED})

log = structlog.get_logger("attempt")


@dataclass(slots=True)
class Delivered:
    """A settlement, and what the lane learns from it. ``outcome`` None: no attempt was made."""

    settlement: Settlement
    outcome: Outcome | None = None
    http_status: int | None = None
    retry_after_s: float | None = None
    limits: LaneLimits = field(default_factory=LaneLimits)
    suspend_url: str | None = None


class Deliverer:
    """Everything between a claim and its settlement."""

    def __init__(self, sender: Sender, lookup: Lookup, worker_id: str) -> None:
        self._sender = sender
        self._lookup = lookup
        self._worker_id = worker_id
        self._tell_all = log.is_enabled_for(logging.DEBUG)

    async def deliver(
        self, claimed: Claimed, suspended: frozenset[str], offset_ms: int, count: Count, place: Place
    ) -> Delivered:
        """``offset_ms``: the store's clock minus the steady one. ``count`` is told what happened."""
        lane = claimed.event.integration_id
        number = claimed.state.revision if claimed.state.revision is not None else claimed.event.revision
        target = self._lookup.peek(lane, number) or await self._lookup.load(lane, number)
        if target is None:
            missing = "its integration was deleted"
            return _without_attempt(claimed, Status.DEAD, "CONFIGURATION_ERROR", missing)
        url = target.revision.urls.get(TYPE_RULES[claimed.event.type].url_field)
        if not url:
            settlement = self._settlement(claimed, target, Status.SKIPPED, None, offset_ms)
            return Delivered(settlement, limits=target.revision.limits)
        unmet = target.filter.unmet(claimed.event)
        if unmet is not None:
            return self._left_out(claimed, target, unmet, offset_ms)
        if url in suspended:
            return _without_attempt(claimed, Status.HELD, "URL_SUSPENDED", f"{url} answered 410 Gone")
        limits = target.revision.limits
        if limits.concurrency is None and limits.rate_per_s is None:
            return await self._attempt(claimed, target, url, offset_ms, count)
        with place(limits) as admitted:
            if admitted:
                return await self._attempt(claimed, target, url, offset_ms, count)
        return Delivered(Settlement(claimed, Move.RELEASE, NOT_ADMITTED_MS), limits=limits)

    def _left_out(self, claimed: Claimed, target: Target, unmet: str, offset_ms: int) -> Delivered:
        text = f"the integration's filter asks for {unmet}"
        sent = Sent(Verdict(Outcome.OK, Status.SKIPPED, FILTERED, text))
        settlement = self._settlement(claimed, target, Status.SKIPPED, None, offset_ms, sent)
        return Delivered(settlement, limits=target.revision.limits)

    async def _attempt(self, claimed: Claimed, target: Target, url: str, offset_ms: int, count: Count) -> Delivered:
        started_ms = int(steady_clock() * 1000) + offset_ms
        begun = time.perf_counter()
        event, state = claimed.event, claimed.state
        sent = await self._sender.send(target, url, event, state, claimed.n, claimed.account_identifier, offset_ms)
        if sent.put_off_s is not None:
            delay_ms = max(MIN_PUT_OFF_MS, int(sent.put_off_s * 1000))
            return Delivered(Settlement(claimed, Move.RELEASE, delay_ms), limits=target.revision.limits)
        duration_s = time.perf_counter() - begun
        verdict, hidden = sent.verdict, sent.hidden(target.secrets)
        attempt = Attempt(
            n=claimed.n,
            started_ms=started_ms,
            duration_ms=duration_s * 1000,
            url=url,
            outcome=verdict.outcome,
            http_status=sent.http_status,
            error_code=verdict.error_code,
            error_detail=scrub(verdict.message, hidden) if verdict.message else None,
            response_body=_kept(sent.body, hidden),
            token_fetched=sent.token_fetched,
            worker=self._worker_id,
        )
        _report(count, claimed, sent, duration_s)
        settlement = self._settlement(claimed, target, verdict.status, attempt, offset_ms, sent)
        if attempt.outcome not in _AS_PLANNED or self._tell_all:
            _tell(claimed, settlement, attempt)
        return Delivered(
            settlement,
            outcome=verdict.outcome,
            http_status=sent.http_status,
            retry_after_s=sent.retry_after_s,
            limits=target.revision.limits,
            suspend_url=url if verdict.suspend_url else None,
        )

    def _settlement(
        self,
        claimed: Claimed,
        target: Target,
        status: Status,
        attempt: Attempt | None,
        offset_ms: int,
        sent: Sent | None = None,
    ) -> Settlement:
        now_ms = int(steady_clock() * 1000) + offset_ms
        verdict = sent.verdict if sent else Verdict(Outcome.OK, status)
        delay_ms = 0
        if status is Status.RETRYING:
            delay_s = _next_delay_s(claimed, target, sent, now_ms)
            status = Status.DEAD if delay_s is None else status
            delay_ms = int((delay_s or 0) * 1000)
        elif status is Status.AWAITING_RESULT:
            delay_ms = int(target.result_deadline_s * 1000)
        message = attempt.error_detail if attempt else verdict.message
        error = {"code": verdict.error_code, "message": message} if verdict.error_code else None
        ident = verdict.account_identifier or claimed.account_identifier
        return Settlement(
            claimed,
            status,
            delay_ms,
            attempt,
            error_code=verdict.error_code,
            error_message=message,
            account_identifier=verdict.account_identifier,
            notification=status_notice(
                claimed.event,
                target.revision,
                status,
                attempts=claimed.n,
                error=error,
                account_identifier=ident,
                now_ms=now_ms,
            ),
        )


def _next_delay_s(claimed: Claimed, target: Target, sent: Sent | None, now_ms: int) -> float | None:
    return next_delay_s(
        target.schedule_s,
        claimed.state.tries + 1,
        random.uniform(-1, 1),  # noqa: S311 - jitter, not a secret
        sent.retry_after_s if sent else None,
        age_s=(now_ms - claimed.state.created_ms) / 1000,
        max_age_s=target.revision.retry.max_age_s,
    )


def _without_attempt(claimed: Claimed, status: Status, code: str, message: str) -> Delivered:
    return Delivered(Settlement(claimed, status, error_code=code, error_message=message))


def _kept(body: bytes, secrets: tuple[str, ...]) -> str | None:
    return scrub(body, secrets) if body else None


def _report(count: Count, claimed: Claimed, sent: Sent, duration_s: float) -> None:
    count(_ATTEMPTS[sent.verdict.outcome], 1)
    _observe(count, _ATTEMPT_SECONDS, duration_s)
    if claimed.n == 1 and sent.sent_ms is not None:
        _observe(count, _DELIVERY_LATENCY, max(0, sent.sent_ms - claimed.state.created_ms) / 1000)


def _observe(count: Count, histogram: HistogramNames, seconds: float) -> None:
    count(histogram.bucket(seconds), 1)
    count(histogram.sum_us, int(seconds * 1_000_000))
    count(histogram.count, 1)


def _tell(claimed: Claimed, settlement: Settlement, attempt: Attempt) -> None:
    """One wide line per attempt that failed; successes are told by metrics, or at level debug."""
    write = log.debug if attempt.outcome in _AS_PLANNED else log.info
    write(
        "attempt",
        event_id=claimed.event.id,
        type=claimed.event.type.value,
        integration_id=claimed.event.integration_id,
        account_id=claimed.event.account_id,
        attempt=attempt.n,
        outcome=attempt.outcome.value,
        http_status=attempt.http_status,
        duration_ms=round(attempt.duration_ms, 1),
        status=settlement.to.value,
        delay_ms=settlement.delay_ms or None,
        error_code=attempt.error_code,
        error=attempt.error_detail,
    )
