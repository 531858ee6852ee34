"""A worker counts as lost by what is seen of it, and never because nothing is seen for a while."""

from __future__ import annotations

from dispatcher.model.lease import Lease
from dispatcher.policy.lost_workers import LOOKS, Trace, Watch

ME, OTHER = "me", "other"
BOTH = frozenset({ME, OTHER})
STILL = Trace(1000, frozenset({Lease(0, 7, OTHER, 6000)}))


def looks(watch: Watch, times: int, trace: Trace = STILL, listening: frozenset[str] = frozenset({ME})) -> set[str]:
    """The lost after so many looks that all see the same."""
    lost: set[str] = set()
    for _ in range(times):
        lost = watch.lost(dict.fromkeys(watch.silent(listening, BOTH), trace))
    return lost


def heard() -> Watch:
    watch = Watch(ME)
    assert watch.silent(BOTH, BOTH) == set()
    return watch


def test_who_listened_and_shows_nothing_new_at_three_looks_is_lost() -> None:
    watch = heard()
    assert looks(watch, LOOKS - 1) == set()
    assert looks(watch, 1) == {OTHER}


def test_who_goes_on_listening_is_never_lost_however_long_it_shows_nothing() -> None:
    assert looks(heard(), 100, listening=BOTH) == set()


def test_a_heartbeat_or_a_renewed_lease_between_the_looks_proves_life() -> None:
    beating, renewing = heard(), heard()
    for i in range(20):
        assert looks(beating, 1, Trace(1000 + i // 2, STILL.leases)) == set()
        assert looks(renewing, 1, Trace(1000, frozenset({Lease(0, 7, OTHER, 6000 + i // 2)}))) == set()


def test_who_never_was_heard_here_may_listen_at_another_node_and_is_left_to_its_lease() -> None:
    assert looks(Watch(ME), 100) == set()


def test_a_look_that_does_not_hear_its_own_worker_proves_nothing() -> None:
    watch = heard()
    looks(watch, LOOKS - 1)
    assert watch.silent(frozenset(), BOTH) == set()
    assert looks(watch, 100) == set(), "heard before a fail-over, on the way back since"


def test_who_comes_back_in_between_begins_anew() -> None:
    watch = heard()
    looks(watch, LOOKS - 1)
    looks(watch, 1, listening=BOTH)
    assert looks(watch, LOOKS - 1) == set()
