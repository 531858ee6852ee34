"""Statuses that a bulk job may ask for, those that it means when it names none, and its pace."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from dispatcher.errors import Unprocessable
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.model.redelivery import BulkAction, Redelivery
from dispatcher.model.status import COMPLETE, FAILURES, Status

CATCH_UP_MS = 250
"""Pace that a job makes up for after a pause; what it missed before that is not hurried after."""


class _Statuses(NamedTuple):
    allowed: frozenset[Status]
    meant: frozenset[Status]
    participle: str


_STATUSES = {
    BulkAction.REDELIVER: _Statuses(FAILURES, FAILURES, "redelivered"),
    BulkAction.DELIVER_NOW: _Statuses(frozenset({Status.RETRYING}), frozenset({Status.RETRYING}), "brought forward"),
    BulkAction.RESOLVE: _Statuses(frozenset(Status) - COMPLETE, FAILURES, "resolved"),
}


def of_action(condition: EventFilter, action: BulkAction) -> EventFilter:
    """The condition narrowed to what the action can be done to. Raises ``Unprocessable`` for any other status."""
    allowed, meant, participle = _STATUSES[action]
    if not condition.statuses <= allowed:
        text = f"Only events that are {', '.join(sorted(allowed))} can be {participle}; filter for these."
        raise Unprocessable.of("invalid_value", text, "filter.status")
    return replace(condition, statuses=condition.statuses or meant)


def before(condition: EventFilter, moment_ms: int) -> EventFilter:
    """The condition without what was accepted later."""
    to_ms = moment_ms + 1
    return replace(condition, to_ms=to_ms if condition.to_ms is None else min(condition.to_ms, to_ms))


def is_meant(stored: StoredEvent, condition: EventFilter, moment_ms: int) -> bool:
    """False: by now its status is another one, or it failed once more after the moment."""
    state = stored.state
    return state.status in condition.statuses and (not state.failed or (state.settled_ms or 0) <= moment_ms)


def allowance(job: Redelivery, now_ms: int, at_most: int) -> tuple[int, float]:
    """Events of the job that may be handled now, and when the next one may be."""
    if job.rate_per_s is None:
        return at_most, 0.0
    gap_ms = 1000 / job.rate_per_s
    begin_ms = max(job.next_ms or now_ms, now_ms - CATCH_UP_MS)
    if begin_ms > now_ms:
        return 0, begin_ms
    events = min(at_most, int((now_ms - begin_ms) // gap_ms) + 1)
    return events, begin_ms + events * gap_ms
