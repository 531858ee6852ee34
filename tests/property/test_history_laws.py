"""Laws of the history: what is rolled up is the sum of its parts, and what is packed is what was counted."""

from __future__ import annotations

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.errors import InvalidRequest
from dispatcher.model.attempt import Outcome
from dispatcher.model.latency import LATENCY_BUCKETS_S
from dispatcher.policy.figures.history import FLEET, LANE, MOST_POINTS, Resolution, Window, rolled_up, total, window
from dispatcher.policy.figures.tally import (
    BUCKETS,
    COUNTS,
    MEASURES,
    SUMS,
    WIDTH,
    Figures,
    add,
    count_attempt,
    from_counters,
    no_figures,
    observed,
    percentile,
)
from dispatcher.policy.figures.tally_packing import MOST_BYTES, pack, unpack

NOW_MS = 1_800_000_000_000
FIGURES = st.lists(st.integers(0, 1 << 33), min_size=WIDTH, max_size=WIDTH)
SPANS = st.lists(st.tuples(st.integers(0, 2000), FIGURES), max_size=40, unique_by=lambda one: one[0])
SECONDS = st.floats(0, 7200)


def sums(figures: list[Figures]) -> Figures:
    return [sum(column) for column in zip(*figures, strict=True)] if figures else no_figures()


@given(spans=SPANS, step=st.integers(1, 90), first=st.integers(0, 1000), points=st.integers(1, MOST_POINTS))
def test_a_rollup_is_the_sum_of_its_parts(spans: list[tuple[int, Figures]], step: int, first: int, points: int) -> None:
    one = Resolution("seconds", 1, 5000)
    seen = Window(one, first * step * 1000, step, points)
    steps = rolled_up(spans, seen)
    assert len(steps) == points
    within = [figures for span, figures in spans if seen.from_ms <= span * 1000 < seen.to_ms]
    assert total(steps) == sums(within)


@given(spans=SPANS, small=st.integers(1, 12), times=st.integers(1, 12))
def test_rolling_up_twice_is_rolling_up_once(spans: list[tuple[int, Figures]], small: int, times: int) -> None:
    second, large = Resolution("seconds", 1, 5000), small * times
    points = 2001 // large + 1
    fine = rolled_up(spans, Window(second, 0, small, points * times))
    coarse = rolled_up(spans, Window(second, 0, large, points))
    again = rolled_up(enumerate(fine), Window(Resolution("small", small, 5000), 0, large, points))
    assert again == coarse


@given(figures=FIGURES, span=st.integers(0, (1 << 21) - 1))
def test_what_is_packed_fits_and_comes_back(figures: Figures, span: int) -> None:
    packed = pack(span, figures)
    assert len(packed) <= MOST_BYTES
    read = unpack(packed)
    assert read is not None
    assert read[0] == span
    back = read[1]
    assert back[1 : len(COUNTS)] == figures[1 : len(COUNTS)]
    for kept, counted in zip(back[len(COUNTS) : SUMS], figures[len(COUNTS) : SUMS], strict=True):
        assert abs(kept - counted) <= counted / 16
    for kept, counted in zip(back[SUMS:], figures[SUMS:], strict=True):
        assert kept == 0 or counted <= kept <= counted + counted / 1024 + 1024


@given(counts=st.lists(st.integers(0, 15), min_size=WIDTH, max_size=WIDTH))
def test_small_counts_are_packed_exactly(counts: Figures) -> None:
    read = unpack(pack(7, counts))
    assert read is not None
    assert read[1][:SUMS] == [0, *counts[1:SUMS]]
    older = pack(7, counts)[: -2 * len(MEASURES)]
    assert unpack(older) == (7, [0, *counts[1:SUMS], *[0] * len(MEASURES)])


@given(st.binary(max_size=80))
def test_whatever_is_kept_is_read_or_refused(kept: bytes) -> None:
    read = unpack(kept)
    assert read is None or len(read[1]) == WIDTH


@given(seconds=st.lists(SECONDS, min_size=1, max_size=60), share=st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_a_percentile_is_in_the_bucket_of_what_was_measured(seconds: list[float], share: float) -> None:
    figures = no_figures()
    for one in seconds:
        count_attempt(figures, Outcome.OK, one, one)
    ranked = sorted(seconds)
    exact = ranked[max(0, -(-int(share * 100) * len(ranked) // 100) - 1)]
    bucket = bisect_left(LATENCY_BUCKETS_S, exact)
    low = LATENCY_BUCKETS_S[bucket - 1] if bucket else 0.0
    high = LATENCY_BUCKETS_S[min(bucket, BUCKETS - 2)]
    for measure in ("latency", "attemptTime"):
        assert observed(figures, measure) == len(seconds)
        found = percentile(figures, measure, share)
        assert found is not None
        assert low <= found <= high or found == LATENCY_BUCKETS_S[-1]


@pytest.mark.parametrize("kept", [FLEET, LANE], ids=["fleet", "lane"])
@given(back=st.integers(1, 200 * 86_400_000), long=st.integers(1, 200 * 86_400_000), step=st.integers(1, 90_000))
def test_a_window_is_whole_steps_and_covers_what_was_asked_for(
    kept: tuple[Resolution, ...], back: int, long: int, step: int
) -> None:
    since, until = NOW_MS - back, NOW_MS - back + long
    for given_step in (None, step):
        seen = _window_or_field(kept, since, until, given_step)
        if not isinstance(seen, Window):
            assert seen == "step"
            continue
        assert seen.points <= MOST_POINTS
        assert seen.step_s % seen.resolution.seconds == 0
        assert seen.from_ms % (seen.step_s * 1000) == 0
        assert seen.from_ms <= since
        assert seen.to_ms >= min(until, NOW_MS)


def _window_or_field(kept: tuple[Resolution, ...], since: int, until: int, step: int | None) -> Window | str | None:
    """The field of a refusal in the place of a window."""
    try:
        return window(kept, NOW_MS, since, until, step)
    except InvalidRequest as refused:
        return refused.problems[0].field


@given(seconds=SECONDS, many=st.integers(0, 50))
def test_a_percentile_of_few_is_no_more_than_what_was_measured(seconds: float, many: int) -> None:
    figures = no_figures()
    for one in (seconds, *[0.001] * many):
        count_attempt(figures, Outcome.OK, one, None)
    read = unpack(pack(7, figures))
    assert read is not None
    for kept in (figures, read[1]):
        found = percentile(kept, "attemptTime", 1.0)
        assert found is not None
        assert found <= max(seconds * 1.001 + 0.002, 0.005) + many * 0.0011


def test_one_attempt_in_a_wide_bucket_is_told_as_what_it_took() -> None:
    figures = no_figures()
    count_attempt(figures, Outcome.OK, 62.0, None)
    assert percentile(figures, "attemptTime", 0.99) == pytest.approx(61.98)


def test_a_sum_that_was_not_counted_from_the_beginning_bounds_nothing() -> None:
    figures = no_figures()
    count_attempt(figures, Outcome.OK, 200.0, None)
    figures[-1] = 0
    assert percentile(figures, "attemptTime", 1.0) == 300


def test_nothing_is_measured_of_nothing() -> None:
    assert percentile(no_figures(), "latency", 0.5) is None


def test_counters_that_are_no_figures_are_passed_over() -> None:
    counters = {"notified": 9, "attempts:OK": 2, "attempts:TIMEOUT": 1, "terminal:DEAD": 1, "tokens:failed": 3}
    figures = from_counters(counters | {"delivery_latency:le:0.5": 4, "delivery_latency:sum_us": 99})
    assert figures[: len(COUNTS)] == [0, 0, 1, 3, 1, 3]
    assert observed(figures, "latency") == 4


def test_adding_changes_the_first_alone() -> None:
    one, other = [1] * WIDTH, [2, 3]
    add(one, other)
    assert one[:3] == [3, 4, 1]
    assert other == [2, 3]
