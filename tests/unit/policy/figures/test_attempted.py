"""Attempts that are counted as numbers are written by the names that the store has for them."""

from __future__ import annotations

from dispatcher.model.attempt import Outcome
from dispatcher.policy.figures.attempted import Attempted
from dispatcher.policy.figures.tally import count_attempt, from_counters, no_figures


def test_attempts_are_counted_by_outcome_duration_and_time_to_the_first() -> None:
    attempted = Attempted()
    attempted.add(Outcome.OK, 0.02, 0.3)
    attempted.add(Outcome.OK, 0.02, None)
    attempted.add(Outcome.TIMEOUT, 31.0, 0.004)
    assert attempted.counters() == {
        "attempts:OK": 2,
        "attempts:TIMEOUT": 1,
        "attempt_seconds:le:0.025": 2,
        "attempt_seconds:le:60": 1,
        "attempt_seconds:sum_us": 31_040_000,
        "attempt_seconds:count": 3,
        "delivery_latency:le:0.005": 1,
        "delivery_latency:le:0.5": 1,
        "delivery_latency:sum_us": 304_000,
        "delivery_latency:count": 2,
        "first:good": 1,
    }


def test_figures_of_the_counters_are_those_of_the_chart() -> None:
    attempted, chart = Attempted(), no_figures()
    for outcome in (*Outcome, Outcome.OK):
        attempted.add(outcome, 0.7, 7200.0)
        count_attempt(chart, outcome, 0.7, 7200.0)
    counters = attempted.counters()
    counters["tokens:failed"] = 1  # counted where a token is fetched, since attempts wait for one another's
    assert from_counters(counters) == chart


def test_nothing_attempted_is_nothing_written() -> None:
    assert Attempted().counters() == {}
