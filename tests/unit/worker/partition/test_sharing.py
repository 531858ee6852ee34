"""Free places go evenly to partitions that may have work, whoever waits longest first; leases are renewed in time."""

from __future__ import annotations

from collections import Counter

import pytest

from worker.partition.allocation import asks
from worker.partition.owned_partition import Holding


def _holdings(count: int) -> list[Holding]:
    return [Holding(partition, 1, now=0.0) for partition in range(count)]


def _shares(holdings: list[Holding], free: int, now: float = 1.0) -> dict[int, int]:
    return {holding.partition: share for holding, share in asks(holdings, free, now, renew_before=-1.0)}


@pytest.mark.parametrize(
    ("count", "free", "shares"),
    [(4, 8, [2, 2, 2, 2]), (4, 6, [2, 2, 1, 1]), (3, 2, [1, 1]), (1, 256, [256]), (4, 0, []), (4, -3, [])],
)
async def test_places_are_shared_evenly(count: int, free: int, shares: list[int]) -> None:
    assert list(_shares(_holdings(count), free).values()) == shares


@pytest.mark.parametrize("free", [1, 3, 5, 16, 40])
async def test_with_few_places_everyone_gets_a_turn(free: int) -> None:
    holdings, turns = _holdings(16), Counter[int]()
    for now in range(1, 161):
        for holding in holdings:
            holding.hungry = True
        turns.update(_shares(holdings, free, float(now)).keys())
    assert len(turns) == 16
    assert max(turns.values()) - min(turns.values()) <= 1


async def test_only_those_are_asked_that_may_have_work() -> None:
    hungry, fed, due, later, leaving, uncertain = holdings = _holdings(6)
    fed.hungry = due.hungry = later.hungry = False
    due.due_at, later.due_at = 0.5, 1.5
    leaving.leaving = uncertain.uncertain = True
    assert _shares(holdings, 100) == {hungry.partition: 50, due.partition: 50}
    assert not hungry.hungry, "it is asked once for one nudge"


async def test_a_lease_is_renewed_without_claiming_and_keeps_its_turn() -> None:
    asked, late, fresh, uncertain = holdings = _holdings(4)
    late.hungry = fresh.hungry = False
    fresh.renewed_at = 3.0
    uncertain.uncertain = True
    assert asks(holdings, 5, now=4.0, renew_before=2.0) == [(asked, 5), (late, 0)]
    assert (asked.turn, late.turn) == (1, 0)
