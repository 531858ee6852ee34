"""Time of the next attempt."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from dispatcher.policy.pace.retry import MAX_RETRY_AFTER_S, next_delay_s, parse_retry_after, plan
from dispatcher.settings import DEFAULT_SCHEDULE_S

NOW_S = 1_674_087_231.0


def test_default_schedule_is_eleven_attempts_over_three_days() -> None:
    attempts = plan(DEFAULT_SCHEDULE_S)
    assert len(attempts) == 11
    assert 3 * 86_400 < attempts[-1].at_s < 3.5 * 86_400


def test_delays_follow_the_schedule_and_end() -> None:
    delays = [next_delay_s((5.0, 60.0), tries, 0.0) for tries in (1, 2, 3)]
    assert delays == [5.0, 60.0, None]


@pytest.mark.parametrize(("jitter", "expected"), [(-1.0, 48.0), (0.0, 60.0), (1.0, 72.0), (9.0, 72.0)])
def test_jitter_spreads_a_delay_by_at_most_a_fifth(jitter: float, expected: float) -> None:
    assert next_delay_s((60.0,), 1, jitter) == pytest.approx(expected)


def test_retry_after_is_a_lower_bound() -> None:
    assert next_delay_s((5.0,), 1, 0.0, 120.0) == 120.0
    assert next_delay_s((300.0,), 1, 0.0, 120.0) == 300.0


def test_retry_after_is_capped_at_a_day() -> None:
    assert next_delay_s((5.0,), 1, 0.0, 1e9) == MAX_RETRY_AFTER_S


def test_no_attempt_is_planned_past_the_maximum_age() -> None:
    assert next_delay_s((60.0,), 1, 0.0, age_s=100, max_age_s=120) is None
    assert next_delay_s((60.0,), 1, 0.0, age_s=10, max_age_s=120) == 60.0
    assert [attempt.n for attempt in plan((10.0, 100.0, 1000.0), max_age_s=200)] == [1, 2, 3]


def test_an_empty_schedule_is_one_attempt() -> None:
    assert next_delay_s((), 1, 0.0) is None
    assert len(plan(())) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        (formatdate(NOW_S + 90, usegmt=True), 90.0),
        (formatdate(NOW_S - 90, usegmt=True), 0.0),
        ("Thursday, 19-Jan-23 00:15:21 GMT", 90.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("1" + "0" * 30, 1e30),
        ("9" * 5000, None),
        ("١٢", None),
        ("Wed, 99 Foo 2023 00:00:00 GMT", None),
        ("\x00", None),
    ],
)
def test_retry_after_reads_seconds_and_dates_and_nothing_else(value: str, expected: float | None) -> None:
    assert parse_retry_after(value, NOW_S) == expected
