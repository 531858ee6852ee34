"""The reason why the next attempt is when it is: the schedule, or the host's own wish."""

from __future__ import annotations

import pytest

from dispatcher.console.events.next_attempt import why_then
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import EventState
from dispatcher.model.status import Status

AT, SCHEDULE = 1_800_000_000_000, (5.0, 60.0, 600.0)
SECOND_OF_THREE = "wait 2 of 3 of the schedule: 60 s, give or take a fifth"


def said(gap_s: float, tries: int = 2, status: Status = Status.RETRYING, asked: str | None = None) -> str | None:
    headers = {"Retry-After": asked} if asked else None
    last = Attempt(2, AT, 1000.0, "https://h.example", Outcome.HTTP_ERROR, 503, response_headers=headers)
    state = EventState(status, AT, attempts=2, tries=tries, due_ms=AT + 1000 + int(gap_s * 1000))
    return why_then(state, [last], SCHEDULE)


@pytest.mark.parametrize("gap_s", [48, 60, 72, 73.5])
def test_a_wait_of_the_schedule_is_named_with_its_place(gap_s: float) -> None:
    assert said(gap_s) == SECOND_OF_THREE


def test_a_hosts_own_wish_is_named_where_it_decided() -> None:
    assert said(300, asked="300") == "its host asked for it (Retry-After: 300)"
    assert said(60, asked="10") == SECOND_OF_THREE
    assert said(60, asked="soon") == SECOND_OF_THREE


@pytest.mark.parametrize(
    ("gap_s", "tries", "status"),
    [(0, 2, Status.RETRYING), (60, 4, Status.RETRYING), (60, 0, Status.RETRYING), (60, 2, Status.DEAD)],
)
def test_what_nothing_explains_is_not_explained(gap_s: float, tries: int, status: Status) -> None:
    assert said(gap_s, tries, status) is None
    assert why_then(EventState(Status.RETRYING, AT, tries=1, due_ms=AT), [], SCHEDULE) is None
