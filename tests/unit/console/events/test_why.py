"""The column that says why an event of the list waits: who paused it, and until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatcher.console.events.why import Holds, why
from dispatcher.model.event import EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import LaneView, Pause, StoredEvent, TypePause
from dispatcher.model.status import Status
from tests.events import event_of

NOW, HOUR = 1_800_000_000_000, 3_600_000
QUEUED = EventState(Status.QUEUED, NOW)
RETRYING = EventState(
    Status.RETRYING, NOW, attempts=1, due_ms=NOW + HOUR, error_code="TRANSPORT_ERROR", error_message="HTTP 503"
)
PAUSE = Pause("ops", "deploy", NOW + 4 * HOUR)
LANE = LaneView("I", 0, 1, 0, 0, 0, 0, None, None, None, False, None, None)


def said(state: EventState, lane: LaneView | None = None, kind: Pause | None = None) -> str:
    types = {EventType.SUBSCRIPTION_CHANGE: TypePause(EventType.SUBSCRIPTION_CHANGE, kind, NOW)} if kind else {}
    return why(StoredEvent(event_of("I", 1), state), NOW, Holds(types, {"I": lane} if lane else {}))


def paused(pause: Pause) -> LaneView:
    return replace(LANE, paused=True, pause=pause)


@pytest.mark.parametrize(
    ("pause", "words"),
    [
        (PAUSE, "paused by ops: deploy, ends in 4 h"),
        (Pause("ops"), "paused by ops"),
        (Pause(), "paused by hand"),
        (Pause("ops", "", NOW + HOUR), "paused by ops, ends in 1 h"),
    ],
)
def test_an_event_of_a_paused_integration_says_by_whom_it_is_paused(pause: Pause, words: str) -> None:
    assert said(QUEUED, paused(pause)) == words
    assert said(QUEUED, kind=pause) == f"its type is {words}"


def test_a_pause_that_ends_before_the_next_attempt_holds_nothing_back() -> None:
    assert said(RETRYING, paused(PAUSE)) == "paused by ops: deploy, ends in 4 h; TRANSPORT_ERROR: HTTP 503"
    short = Pause("ops", "deploy", NOW + HOUR // 2)
    assert said(RETRYING, paused(short)) == "tries again in 1 h; TRANSPORT_ERROR: HTTP 503"
    assert said(RETRYING, kind=short) == "tries again in 1 h; TRANSPORT_ERROR: HTTP 503"


def test_what_holds_an_integration_back_is_said_of_what_is_due() -> None:
    broken = replace(LANE, circuit_open_until_ms=NOW + 12_000)
    assert said(QUEUED, broken) == "circuit open: tries again in 12 s"
    assert said(RETRYING, broken) == "tries again in 1 h; TRANSPORT_ERROR: HTTP 503"
    assert said(RETRYING._replace(due_ms=NOW), broken).startswith("circuit open: tries again in 12 s; ")
    assert said(QUEUED, replace(LANE, suspended_urls=("https://h.example",))) == "waits for its turn"
    assert said(QUEUED) == said(QUEUED, LANE) == "waits for its turn"
    assert said(RETRYING._replace(due_ms=NOW)) == "due now; TRANSPORT_ERROR: HTTP 503"


def test_an_event_behind_another_says_that_both_are_paused() -> None:
    behind = "behind an earlier event of its account"
    assert said(EventState(Status.HELD, NOW)) == said(EventState(Status.HELD, NOW), LANE) == behind
    assert said(EventState(Status.HELD, NOW), paused(PAUSE)) == f"{behind}; both paused by ops: deploy, ends in 4 h"
    suspended = EventState(Status.HELD, NOW, error_code="URL_SUSPENDED")
    assert said(suspended, paused(PAUSE)) == "URL_SUSPENDED"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (EventState(Status.SUCCEEDED, NOW, attempts=1, settled_ms=NOW - 3000), "first attempt, 3 s ago"),
        (EventState(Status.SUCCEEDED, NOW, attempts=3), "attempt 3"),
        (EventState(Status.AWAITING_RESULT, NOW, result_deadline_ms=NOW + HOUR), "its host has to report until in 1 h"),
        (EventState(Status.DEAD, NOW, error_code="TIMEOUT"), "TIMEOUT"),
    ],
)
def test_every_other_status_says_what_itself_knows(state: EventState, words: str) -> None:
    assert said(state, paused(PAUSE)) == words
