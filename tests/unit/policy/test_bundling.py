"""News to operators at once, together, or never: bounds on how much a storm can say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.operational import OperationalEvent, OperationalKind
from dispatcher.policy.bundling import Bundling

DEAD, OPENED = OperationalKind.EVENT_DEAD, OperationalKind.CIRCUIT_OPENED
WINDOW_MS = 1000


def dead(at_ms: int, integration_id: str = "I", event_id: str | None = None) -> OperationalEvent:
    return OperationalEvent(DEAD, integration_id, at_ms, event_id)


def test_first_is_told_at_once_and_those_that_follow_together_after_the_window() -> None:
    bundling = Bundling(WINDOW_MS)
    bundling.add(dead(10, event_id="a"))
    (first,) = bundling.take(20)
    assert (first.count, first.first.event_id, first.last.event_id) == (1, "a", "a")
    for at_ms, event_id in ((30, "b"), (40, "c"), (50, "d")):
        bundling.add(dead(at_ms, event_id=event_id))
    assert bundling.take(1019) == []
    (rest,) = bundling.take(1020)
    assert (rest.count, rest.first.event_id, rest.last.event_id, rest.integration_id) == (3, "b", "d", "I")


def test_kinds_and_integrations_do_not_wait_for_each_other() -> None:
    bundling = Bundling(WINDOW_MS)
    bundling.add(dead(1))
    bundling.take(1)
    bundling.add(dead(2, "J"))
    bundling.add(OperationalEvent(OPENED, "I", 3))
    assert [(one.last.kind, one.integration_id) for one in bundling.take(4)] == [(DEAD, "J"), (OPENED, "I")]


def test_beyond_so_many_topics_one_kind_is_told_for_all_integrations_together() -> None:
    bundling = Bundling(WINDOW_MS, max_topics=3)
    for number in range(10):
        bundling.add(dead(number, f"I{number}"))
    told = bundling.take(20)
    assert [(one.integration_id, one.count) for one in told] == [("I0", 1), ("I1", 1), ("I2", 1), (None, 7)]


def test_quiet_topics_are_forgotten() -> None:
    bundling = Bundling(WINDOW_MS, max_topics=1)
    bundling.add(dead(1))
    bundling.take(1)
    assert bundling.take(5000) == []
    bundling.add(dead(6000, "J"))
    assert [one.integration_id for one in bundling.take(6000)] == ["J"]


def test_leaving_tells_what_waits_for_its_window() -> None:
    bundling = Bundling(WINDOW_MS)
    bundling.add(dead(1))
    bundling.take(1)
    bundling.add(dead(2))
    assert [one.count for one in bundling.take(3, everything=True)] == [1]


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from("ABCDEFGH")), max_size=200))
def test_nothing_is_forgotten_and_no_window_says_more_than_its_bound(happened: list[tuple[int, str]]) -> None:
    bundling, now_ms, told = Bundling(WINDOW_MS, max_topics=4), 0, []
    for pause_ms, name in happened:
        now_ms += pause_ms
        bundling.add(dead(now_ms, name))
        told += [(now_ms, bundle) for bundle in bundling.take(now_ms)]
    told += [(now_ms, bundle) for bundle in bundling.take(now_ms, everything=True)]
    assert sum(bundle.count for _, bundle in told) == len(happened)
    for start_ms, _ in told:
        in_window = [at_ms for at_ms, _ in told if start_ms <= at_ms < start_ms + WINDOW_MS]
        assert len(in_window) <= 2 * 5
