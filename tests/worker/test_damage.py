"""Damaged keys and errors of ours stop the partition that they are met with, no other, and no worker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dispatcher.model.integration import Integration
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claimed, Settlement
from dispatcher.store.queue.owning.partition import PartitionStore
from tests.hosts import Reply
from tests.worker.conftest import Shop
from worker.partition import holdings
from worker.partition.owned_partition import OwnedPartition
from worker.partition.owner import Owner
from worker.partition.runner import Runner


async def _apart(shop: Shop) -> tuple[Integration, Integration]:
    """Two integrations in different partitions."""
    one, other = await shop.integration(), await shop.integration()
    while shop.queue.partition_of(other.id) == shop.queue.partition_of(one.id):
        other = await shop.integration()
    return one, other


async def test_a_damaged_partition_does_not_stop_the_others(shop: Shop) -> None:
    sick, well = await _apart(shop)
    await shop.work()
    await shop.ended(await shop.emit(sick))
    prefix = f"{{p{shop.queue.partition_of(sick.id)}}}:"
    await shop.redis.delete(prefix + "lanes")
    await shop.redis.set(prefix + "lanes", "not a sorted set")
    assert (await shop.ended(await shop.emit(well))).state.status is Status.SUCCEEDED
    await shop.redis.delete(prefix + "lanes")
    assert (await shop.ended(await shop.emit(sick))).state.status is Status.SUCCEEDED


async def test_ft46_a_partition_that_cannot_be_owned_anew_stops_neither_the_worker_nor_the_others(shop: Shop) -> None:
    """Symptom: the error of `own` ended the worker, and with it every partition that it had."""
    sick, well = await _apart(shop)
    await shop.work()
    await shop.ended(await shop.emit(sick))
    flight = f"{{p{shop.queue.partition_of(sick.id)}}}:flight"
    await shop.redis.set(flight, "not a hash")
    waits = await shop.emit(sick)
    await asyncio.sleep(2.5)  # two pauses: the claim is refused, and then what would own it anew
    assert (await shop.ended(await shop.emit(well))).state.status is Status.SUCCEEDED
    await shop.redis.delete(flight)
    assert (await shop.ended(waits)).state.status is Status.SUCCEEDED
    assert not shop.workers[0][1].done()


@pytest.mark.parametrize(
    ("of", "step"),
    [
        (OwnedPartition, "take_batch"),
        (PartitionStore, "settle_call"),
        (Owner, "_take_claim"),
        (Owner, "_begin"),
        (Runner, "run"),
    ],
    ids=lambda part: getattr(part, "__name__", part),
)
async def test_ft46_an_error_of_ours_sets_aside_the_partition_that_it_was_met_with(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, of: type, step: str
) -> None:
    """Symptom: the worker ended. What was set aside is taken up again, and nothing of it is lost."""
    sick, well = await _apart(shop)
    number, as_it_is, broken = shop.queue.partition_of(sick.id), getattr(of, step), True

    def of_the_sick(part: object) -> bool:
        return getattr(part, "partition", part) == number

    def breaks(*arguments: Any) -> Any:
        if broken and any(map(of_the_sick, arguments[:2])) and _has_work(step, arguments):
            raise ZeroDivisionError
        return as_it_is(*arguments)

    monkeypatch.setattr(of, step, breaks)
    await shop.work()
    waits = await shop.emit(sick)
    for i in range(3):
        assert (await shop.ended(await shop.emit(well, account=str(i)))).state.status is Status.SUCCEEDED
        await asyncio.sleep(0.5)
    assert not shop.workers[0][1].done()
    broken = False
    assert (await shop.ended(waits)).state.status is Status.SUCCEEDED
    await shop.assert_well()


async def test_a_round_that_breaks_off_before_any_partition_is_followed_by_the_next(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, broken = Owner._claims, 3

    def breaks(self: Owner, at_hand: Any) -> Any:
        nonlocal broken
        broken -= 1
        if broken >= 0 and self.partitions:
            raise ZeroDivisionError
        return claims(self, at_hand)

    await shop.work()
    await shop.ended(await shop.emit(await shop.integration()))
    monkeypatch.setattr(Owner, "_claims", breaks)
    assert (await shop.ended(await shop.emit(await shop.integration()))).state.status is Status.SUCCEEDED
    assert broken < 0
    await shop.assert_well()


async def test_a_partition_that_cannot_be_granted_keeps_no_other_without_an_owner(shop: Shop) -> None:
    """Symptom: the partitions behind it were offered to nobody for as long as its key was damaged."""
    lanes = [await shop.integration() for _ in range(12)]
    first = min(shop.queue.partition_of(lane.id) for lane in lanes)
    counts = f"{{p{first}}}:counts"
    await shop.redis.hset(f"{{p{first}}}:own", mapping={"until": 0, "granted": 1})  # type: ignore[misc]
    await shop.redis.set(counts, "not a hash")
    others = [lane for lane in lanes if shop.queue.partition_of(lane.id) != first]
    await shop.work()
    for lane in others:
        assert (await shop.ended(await shop.emit(lane))).state.status is Status.SUCCEEDED


def _has_work(step: str, arguments: tuple[Any, ...]) -> bool:
    return step != "take_batch" or bool(arguments[0].outcomes)


async def test_a_partition_with_which_nothing_goes_well_is_left_to_another_worker(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick, run = await shop.integration(), Runner.run
    first: set[int] = set()

    async def breaks(self: Runner, owned: OwnedPartition, claimed: Claimed) -> Settlement:
        first.add(id(owned)) if not first else None
        if id(owned) in first:
            raise ZeroDivisionError
        return await run(self, owned, claimed)

    monkeypatch.setattr(Runner, "run", breaks)
    monkeypatch.setattr(holdings, "BROKEN_PAUSE_S", 0.1)
    await shop.work()
    assert (await shop.ended(await shop.emit(sick))).state.status is Status.SUCCEEDED
    await shop.assert_well()


async def test_ft28_a_damaged_event_stops_no_other(shop: Shop) -> None:
    integration = await shop.integration()
    damaged, well = await shop.emit(integration, account="A"), await shop.emit(integration, account="B")
    key = f"{{p{shop.queue.partition_of(integration.id)}}}:e:{damaged}"
    await shop.redis.delete(key)
    await shop.redis.set(key, "junk")
    await shop.work()
    assert (await shop.ended(well)).state.status is Status.SUCCEEDED
    assert await shop.queue.get(damaged) is None
    assert [item.event.id for item in (await shop.queue.page(EventFilter(), None, 10)).items] == [well]
    assert damaged in (await shop.store.recount()).broken


async def test_an_owner_does_not_spin_while_what_is_due_cannot_be_claimed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Symptom: 26,000 rounds a second for as long as a partition's keys were damaged."""
    rounds, turn = 0, Owner._round

    async def counted(self: Owner) -> bool:
        nonlocal rounds
        rounds += 1
        return await turn(self)

    lane = await shop.integration(schedule_s=(0.5,))
    shop.host.replies.append(Reply(500))
    event_id = await shop.emit(lane)
    await shop.work()
    await shop.status(event_id, Status.RETRYING)
    lanes = f"{{p{shop.queue.partition_of(lane.id)}}}:lanes"
    await shop.redis.rename(lanes, "kept")
    await shop.redis.set(lanes, "damaged")
    await asyncio.sleep(0.6)  # until its retry is due
    monkeypatch.setattr(Owner, "_round", counted)
    await asyncio.sleep(0.6)
    assert rounds < 20
    await shop.redis.rename("kept", lanes)
    await shop.ended(event_id)
    await shop.assert_well()
