"""The moment of the next attempt, as an event's page tells it."""

from __future__ import annotations

import pytest

from dispatcher.console.events.page import next_attempt_ms
from dispatcher.model.event import EventState
from dispatcher.model.queue import Explanation, Reason, StoredEvent
from dispatcher.model.status import Status
from tests.events import event_of

NOW_MS = 1_000_000


@pytest.mark.parametrize(
    ("status", "due_ms", "reason", "until_ms", "expected"),
    [
        (Status.RETRYING, NOW_MS + 5, Reason.RETRY_PLANNED, NOW_MS + 5, NOW_MS + 5),
        (Status.RETRYING, NOW_MS - 5, Reason.CIRCUIT_OPEN, NOW_MS + 7, NOW_MS + 7),
        (Status.RETRYING, NOW_MS - 5, Reason.READY, None, None),
        (Status.RETRYING, NOW_MS + 5, Reason.PAUSED, NOW_MS + 9, None),
        (Status.SUCCEEDED, NOW_MS + 5, Reason.DELIVERED, None, None),
    ],
)
def test_a_next_attempt_is_never_in_the_past(
    status: Status, due_ms: int, reason: Reason, until_ms: int | None, expected: int | None
) -> None:
    stored = StoredEvent(event_of("lane", 8), EventState(status, 0, due_ms=due_ms))
    assert next_attempt_ms(stored, Explanation(status, reason, until_ms), NOW_MS) == expected
