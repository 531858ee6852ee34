"""One wide log line per attempt that failed. Successes are counted by metrics, and logged at level debug only."""

from __future__ import annotations

import structlog

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.store.queue.owning.claims import Settlement

AS_PLANNED = frozenset({Outcome.OK, Outcome.ACCEPTED})

log = structlog.get_logger("attempt")


def log_attempt(settlement: Settlement, attempt: Attempt) -> None:
    """At level debug when it went as planned, else at info: a host's failure is an outcome, not an error of ours."""
    event = settlement.claimed.event
    write = log.debug if attempt.outcome in AS_PLANNED else log.info
    write(
        "attempt",
        event_id=event.id,
        type=event.type.value,
        integration_id=event.integration_id,
        account_id=event.account_id,
        attempt=attempt.n,
        outcome=attempt.outcome.value,
        http_status=attempt.http_status,
        duration_ms=round(attempt.duration_ms, 1),
        status=settlement.to.value,
        delay_ms=settlement.delay_ms or None,
        error_code=attempt.error_code,
        error=attempt.error_detail,
        trace=event.trace,
    )
