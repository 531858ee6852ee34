"""A lane as the overview shows it: times that lie in the past are no state."""

from __future__ import annotations

import pytest

from dispatcher.store.queue.records import LANE_FIELDS, lane_views

NOW_MS = 1_700_000_000_000


def seen(circuit: bytes, slow: bytes) -> list[object]:
    lane: list[object] = [b"lane", 1, 0, 0, 0, 0, b"32", b"", b"", b"", circuit, slow, b"", b"[]"]
    lane += [b""] * (LANE_FIELDS - len(lane))
    return [NOW_MS, b"worker", b"1", b"0", 0, 0, 1, 0, *lane]


@pytest.mark.parametrize(("ahead_ms", "shown"), [(-25 * 60_000, False), (0, False), (1, True), (60_000, True)])
def test_times_that_lie_in_the_past_are_no_state(ahead_ms: int, shown: bool) -> None:
    """Symptom: "slowed down until" a time 25 minutes ago."""
    at = str(NOW_MS + ahead_ms).encode()
    (view,) = lane_views(0, seen(at, at))
    expected = NOW_MS + ahead_ms if shown else None
    assert (view.slowed_until_ms, view.circuit_open_until_ms) == (expected, expected)
