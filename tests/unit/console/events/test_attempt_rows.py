"""Attempts as bars: one scale, phases in their order, the one that failed named."""

from __future__ import annotations

import pytest

from dispatcher.console.events.attempt_rows import attempt_rows
from dispatcher.model.attempt import Attempt, Outcome, Phases

URL = "https://h.example/"


def test_bars_share_one_scale_and_phases_fill_them() -> None:
    phases = Phases(token=10, lookup=0, connect=20, wait=50, read=0.01)
    slow = Attempt(1, 0, 100.0, URL, Outcome.HTTP_ERROR, 500, phases=phases)
    newest, oldest = attempt_rows([slow, Attempt(2, 0, 25.0, URL, Outcome.OK, 200)])
    assert (newest.attempt.n, newest.wide, newest.look, newest.failed_at) == (2, 250, "ok", "")
    assert (oldest.wide, oldest.look, oldest.failed_at) == (1000, "bad", "answer")
    assert [(one.name, one.begins, one.wide) for one in oldest.parts] == [
        ("own", 0, 200),
        ("token", 200, 100),
        ("connecting", 300, 200),
        ("waiting", 500, 500),
    ]
    assert newest.parts == ()


@pytest.mark.parametrize(
    ("outcome", "detail", "phase"),
    [
        (Outcome.TOKEN_FAILED, None, "token"),
        (Outcome.CONNECT_FAILED, None, "connecting"),
        (Outcome.TIMEOUT, "no connection in time", "connecting"),
        (Outcome.TIMEOUT, "no answer in time", "waiting"),
        (Outcome.STARTED, None, ""),
    ],
)
def test_the_phase_that_failed_is_named(outcome: Outcome, detail: str | None, phase: str) -> None:
    (row,) = attempt_rows([Attempt(1, 0, 1.0, URL, outcome, error_detail=detail)])
    assert row.failed_at == phase


def test_an_attempt_is_read_back_as_it_was_kept() -> None:
    phases = Phases(1.0, 0.0, 2.5, 3.0, 0.0)
    attempt = Attempt(3, 7, 8.0, URL, Outcome.HTTP_ERROR, 500, phases=phases, response_headers={"Via": "x"})
    record = attempt.as_record()
    assert record["p"] == [1.0, 0, 2.5, 3.0, 0]
    assert Attempt.from_record(3, record) == attempt
