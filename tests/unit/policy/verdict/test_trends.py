"""Rates, shares and growth, from readings of counters."""

from __future__ import annotations

import pytest

from dispatcher.policy.verdict.trends import Reading, Trends

MINUTE = 60_000


def trends(*backlogs: int, every_ms: int = MINUTE, ended: int = 0, used: int = 0) -> Trends:
    """Readings so far apart, of which each has ``ended`` more events ended and ``used`` more bytes."""
    made = Trends()
    for n, backlog in enumerate(backlogs):
        counters = {"accepted": 120 * n, "terminal:SUCCEEDED": ended * n, "delivery_latency:le:0.025": 10 * n}
        made.add(Reading(n * every_ms, counters | {"first:good": 9 * n}, backlog, 1000 + used * n))
    return made


def test_headline_figures_are_of_the_last_minutes() -> None:
    figures = trends(0, 0, 0, 0, 0, 0, 0).figures(oldest_due_ms=5)
    assert figures.per_second == 2.0
    assert figures.first_share == pytest.approx(0.9)
    assert figures.p99_ms is not None
    assert 10 <= figures.p99_ms <= 25
    assert figures.oldest_due_ms == 5


def test_of_nothing_sent_no_share_is_said() -> None:
    figures = trends(0).figures(None)
    assert (figures.per_second, figures.first_share, figures.p99_ms) == (0.0, None, None)


def test_a_backlog_grows_since_the_minute_from_which_on_each_is_larger() -> None:
    assert trends(9, 1, 2, 3, 4).growing_since_ms() == MINUTE
    assert trends(1, 2, 2, 1).growing_since_ms() is None
    assert trends(0, 0, 0).growing_since_ms() is None


def test_a_backlog_drains_at_the_rate_at_which_events_end() -> None:
    assert trends(60, 60, 60, ended=60).drain_ms() == MINUTE
    assert trends(60, 60, 60).drain_ms() is None


def test_memory_is_full_at_the_growth_of_ten_minutes_at_least() -> None:
    assert trends(*[0] * 11, used=100).full_in_ms(3000) == 10 * MINUTE
    assert trends(*[0] * 5, used=100).full_in_ms(3000) is None
    assert trends(*[0] * 11).full_in_ms(3000) is None


def test_readings_of_an_hour_are_kept_and_thinned_out() -> None:
    made = trends(*[0] * 1500, every_ms=5000)
    assert len(made.readings) < 250
    ages_ms = [made.readings[-1].at_ms - one.at_ms for one in made.readings]
    assert max(ages_ms) <= 60 * MINUTE
    assert max(ages_ms) > 55 * MINUTE


def test_counters_that_were_put_back_count_as_not_grown() -> None:
    made = Trends()
    made.add(Reading(0, {"accepted": 50}))
    made.add(Reading(MINUTE, {"accepted": 5}))
    assert made.grew("accepted", MINUTE) == 0
