"""A worker counts as lost by what is seen of it, and never because nothing is seen for a while."""

from __future__ import annotations

from dispatcher.model.lease import Lease
from dispatcher.policy.lost_workers import STILL_MS, Trace, Watch

ME, OTHER = "me", "other"
BOTH = frozenset({ME, OTHER})
STILL = Trace(1000, frozenset({Lease(0, 7, OTHER, 6000)}))


def seen(watch: Watch, at_ms: int, trace: Trace = STILL, listening: frozenset[str] = frozenset({ME})) -> set[str]:
    """The lost of a look at that time."""
    return watch.lost(dict.fromkeys(watch.silent(listening, BOTH), trace), at_ms)


def heard() -> Watch:
    watch = Watch(ME)
    assert watch.silent(BOTH, BOTH) == set()
    return watch


def test_who_listened_and_shows_nothing_new_for_two_heartbeats_is_lost() -> None:
    watch = heard()
    assert seen(watch, 5000) == set()
    assert seen(watch, 5000 + STILL_MS - 1) == set()
    assert seen(watch, 5000 + STILL_MS) == {OTHER}


def test_one_look_however_late_proves_nothing() -> None:
    assert seen(heard(), 10**9) == set()


def test_who_goes_on_listening_is_never_lost_however_long_it_shows_nothing() -> None:
    watch = heard()
    assert [seen(watch, at_ms, listening=BOTH) for at_ms in range(0, 60_000, 300)] == [set()] * 200


def test_a_heartbeat_or_a_renewed_lease_between_the_looks_proves_life() -> None:
    beating, renewing = heard(), heard()
    for at_ms in range(0, 20 * STILL_MS, STILL_MS):
        assert seen(beating, at_ms, Trace(1000 + at_ms, STILL.leases)) == set()
        assert seen(renewing, at_ms, Trace(1000, frozenset({Lease(0, 7, OTHER, 6000 + at_ms)}))) == set()


def test_who_never_was_heard_here_may_listen_at_another_node_and_is_left_to_its_lease() -> None:
    watch = Watch(ME)
    assert [seen(watch, at_ms) for at_ms in (0, 60_000)] == [set(), set()]


def test_a_look_that_does_not_hear_its_own_worker_proves_nothing() -> None:
    watch = heard()
    seen(watch, 0)
    assert watch.silent(frozenset(), BOTH) == set()
    assert [seen(watch, at_ms) for at_ms in (1000, 60_000)] == [set(), set()], "heard before a fail-over, not since"


def test_who_comes_back_in_between_begins_anew() -> None:
    watch = heard()
    seen(watch, 0)
    seen(watch, 500, listening=BOTH)
    assert seen(watch, STILL_MS) == set()
