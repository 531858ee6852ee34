"""Free slots go evenly to partitions that may have work, whoever waits longest first; leases are renewed in time."""

from __future__ import annotations

from collections import Counter

import pytest

from dispatcher.policy.pace.unasked import MISSED_S
from dispatcher.store.queue.owning.claims import Claim
from worker.partition.owned_partition import OwnedPartition, allot


def _owned(count: int) -> list[OwnedPartition]:
    return [OwnedPartition(partition, 1, now=0.0) for partition in range(count)]


def _shares(partitions: list[OwnedPartition], free: int, now: float = 1.0) -> dict[int, int]:
    return {owned.partition: share for owned, share in allot(partitions, free, now, renew_before=-1.0)}


@pytest.mark.parametrize(
    ("count", "free", "shares"),
    [(4, 8, [2, 2, 2, 2]), (4, 6, [2, 2, 1, 1]), (3, 2, [1, 1]), (1, 256, [256]), (4, 0, []), (4, -3, [])],
)
async def test_places_are_shared_evenly(count: int, free: int, shares: list[int]) -> None:
    assert list(_shares(_owned(count), free).values()) == shares


@pytest.mark.parametrize("free", [1, 3, 5, 16, 40])
async def test_with_few_places_everyone_gets_a_turn(free: int) -> None:
    partitions, turns = _owned(16), Counter[int]()
    for now in range(1, 161):
        for owned in partitions:
            owned.work_expected = True
        turns.update(_shares(partitions, free, float(now)).keys())
    assert len(turns) == 16
    assert max(turns.values()) - min(turns.values()) <= 1


async def test_only_those_are_asked_that_may_have_work() -> None:
    work_expected, fed, due, later, leaving, unconfirmed = partitions = _owned(6)
    fed.work_expected = due.work_expected = later.work_expected = False
    due.due_at, later.due_at = 0.5, 1.5
    leaving.leaving = unconfirmed.unconfirmed = True
    assert _shares(partitions, 100) == {work_expected.partition: 50, due.partition: 50}
    assert not work_expected.work_expected, "it is asked once for one nudge"


async def test_a_lease_is_renewed_without_claiming_and_keeps_its_turn() -> None:
    asked, late, fresh, unconfirmed = partitions = _owned(4)
    late.work_expected = fresh.work_expected = False
    fresh.renewed_at = 3.0
    unconfirmed.unconfirmed = True
    assert allot(partitions, 5, now=4.0, renew_before=2.0) == [(asked, 5), (late, 0)]
    assert (asked.turn, late.turn) == (1, 0)


def test_slots_for_what_is_given_are_asked_back_when_none_is_free() -> None:
    busy, asleep = OwnedPartition(1, 1, now=0.0), OwnedPartition(2, 1, now=0.0)
    asleep.work_expected = False
    assert asleep.unasked.offer(4) == 4
    assert asleep.unasked.left == 4
    assert allot([busy, asleep], 3, now=0.0, renew_before=-1.0) == [(busy, 3)]
    busy.work_expected = True
    assert allot([busy, asleep], 0, now=0.0, renew_before=-1.0) == [(asleep, 0)]
    assert asleep.unasked.offer(0) == 0
    assert allot([busy, asleep], 0, now=0.0, renew_before=-1.0) == []


def _claim(given: int, now_ms: int = 0, next_due_ms: int | None = None) -> Claim:
    return Claim(now_ms, next_due_ms, given, events=[], unreadable=[], too_large=[])


def test_what_was_given_and_does_not_come_is_owned_anew_after_a_while() -> None:
    owned = OwnedPartition(1, 1, now=0.0)
    owned.unasked.offer(4)
    owned.note(_claim(given=1), asked_at=0.0, now=0.0)
    assert owned.due_at == MISSED_S, "it is asked again then, whatever else there is to do"
    owned.note(_claim(given=1), asked_at=MISSED_S / 2, now=MISSED_S / 2)
    assert owned.takes(1)
    assert owned.may_claim(MISSED_S)
    owned.note(_claim(given=1), asked_at=MISSED_S, now=MISSED_S)
    assert owned.unconfirmed
    assert not owned.takes(1)
    owned.newest_generation = 2
    owned.confirmed()
    assert (owned.takes(1), owned.takes(2), owned.unasked.left) == (False, True, 0)


def test_what_comes_late_ends_the_doubt() -> None:
    owned = OwnedPartition(1, 1, now=0.0)
    owned.note(_claim(given=1), asked_at=0.0, now=0.0)
    owned.unasked.came = 1
    owned.note(_claim(given=1), asked_at=1.0, now=1.0)
    assert owned.due_at is None
    owned.note(_claim(given=2), asked_at=2.0, now=9.0)
    assert not owned.unconfirmed


def test_an_older_message_takes_no_known_time_away() -> None:
    owned = OwnedPartition(1, 1, now=0.0)
    owned.note(_claim(given=0, next_due_ms=5000), asked_at=0.0, now=0.0)
    owned.note_given(_claim(given=0), now=0.0)
    assert owned.due_at == 5.0
    owned.note_given(_claim(given=0, next_due_ms=1000), now=0.0)
    assert owned.due_at == 1.0
