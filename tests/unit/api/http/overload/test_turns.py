"""Turns of those who read much: so many at a time, and nobody has all of them."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.api.http.overload.turns import Room, Turns, share_of
from dispatcher.errors import RequestError
from dispatcher.model.access import Caller

WAITING, WAITING_OF_ONE = 8, 4


def turns_of(at_once: int, of_one: int) -> Turns:
    return Turns(Room(at_once, of_one, WAITING, WAITING_OF_ONE, "reads"))


class Reading:
    """One read, under way until it is told to end."""

    def __init__(self, turns: Turns, share: str, size: int = 1) -> None:
        self.share, self.size = share, size
        self.begun = asyncio.Event()
        self.ends = asyncio.Event()
        self.task = asyncio.create_task(self._read(turns))

    async def _read(self, turns: Turns) -> None:
        await turns.begin(self.share, self.size)
        self.begun.set()
        await self.ends.wait()

    async def end(self) -> None:
        self.ends.set()
        await self.task


async def several(turns: Turns, share: str, how_many: int, size: int = 1) -> list[Reading]:
    """Begun, as far as there are turns."""
    reads = [Reading(turns, share, size) for _ in range(how_many)]
    for _ in range(3):
        await asyncio.sleep(0)
    return reads


def under_way(reads: list[Reading]) -> int:
    return sum(read.begun.is_set() for read in reads)


async def end_all(reads: list[Reading]) -> None:
    for read in reads:
        read.ends.set()
    await asyncio.gather(*(read.task for read in reads))


async def test_nobody_has_all_turns() -> None:
    turns = turns_of(4, 2)
    many, other = await several(turns, "many", 6), await several(turns, "other", 1)
    assert (under_way(many), under_way(other)) == (2, 1)
    await end_all([*many, *other])


async def test_the_next_turn_is_of_whoever_has_fewest() -> None:
    turns = turns_of(2, 2)
    many = await several(turns, "many", 4)
    other = await several(turns, "other", 1)
    assert (under_way(many), under_way(other)) == (2, 0)
    await many[0].end()
    await asyncio.wait_for(other[0].begun.wait(), 30)
    assert under_way(many) == 2
    await end_all([*many, *other])


async def test_more_than_may_wait_are_told_when_to_come_again() -> None:
    turns = turns_of(1, 1)
    reads = await several(turns, "many", 1 + WAITING_OF_ONE)
    with pytest.raises(RequestError) as refused:
        await turns.begin("many")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "1")
    for n in range(WAITING // WAITING_OF_ONE - 1):
        reads += await several(turns, f"other-{n}", WAITING_OF_ONE)
    with pytest.raises(RequestError) as refused:
        await turns.begin("another")
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")
    await end_all(reads)


async def test_who_leaves_while_waiting_takes_no_turn() -> None:
    turns = turns_of(1, 1)
    first, leaving, last = await several(turns, "A", 3)
    leaving.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving.task
    await first.end()
    await asyncio.wait_for(last.begun.wait(), 30)
    await last.end()


async def test_a_turn_given_to_whoever_leaves_at_that_moment_is_the_next_ones() -> None:
    turns = turns_of(1, 1)
    first, leaving, last = await several(turns, "A", 3)
    first.task.add_done_callback(lambda _: leaving.task.cancel())
    await first.end()
    await asyncio.wait_for(last.begun.wait(), 30)
    await asyncio.wait([leaving.task])
    assert leaving.task.cancelled()
    await last.end()


def test_clients_of_one_vendor_share_its_turns() -> None:
    one, two = (Caller(name, frozenset(), vendor_id="V") for name in ("one", "two"))
    assert share_of(one) == share_of(two) != share_of(Caller("one", frozenset()))


async def test_sizes_are_added_up_and_what_is_larger_than_all_room_has_it_for_itself() -> None:
    turns = turns_of(10, 10)
    (small,), (large,), (behind,) = [
        await several(turns, share, 1, size) for share, size in (("A", 1), ("B", 20), ("C", 1))
    ]
    assert [one.begun.is_set() for one in (small, large, behind)] == [True, False, False]
    await small.end()
    await asyncio.wait_for(large.begun.wait(), 30)
    assert (turns.running, turns.waiting) == (20, 1)
    await large.end()
    await asyncio.wait_for(behind.begun.wait(), 30)
    await behind.end()
