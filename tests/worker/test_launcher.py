"""Claimed attempts begin a few at a time, in order, and only while the lease lasts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import pytest

from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claimed
from tests.worker.conftest import Shop
from worker.partition.launcher import AT_ONCE, Launcher
from worker.partition.owned_partition import OwnedPartition
from worker.partition.owner import Owner


def _claimed(count: int) -> list[Claimed]:
    events = [Event(f"event-{i}", EventType.SUBSCRIPTION_NOTICE, "lane", revision=1) for i in range(count)]
    return [Claimed(event, EventState(Status.QUEUED, created_ms=0), n=1, account_identifier=None) for event in events]


def _unexpected(_: OwnedPartition, error: Exception) -> None:
    raise error


def _frozen_after_the_first_claim(monkeypatch: pytest.MonkeyPatch, for_s: Callable[[], float]) -> list[list[str]]:
    """The worker stands still between its first claim and what that brought. What each claim brings, as it comes."""
    claims: list[list[str]] = []
    add = Launcher.add

    def freeze_once(self: Launcher, owned: OwnedPartition, events: Iterable[Claimed]) -> None:
        brought = list(events)
        add(self, owned, brought)
        if brought:
            claims.append([claimed.event.id for claimed in brought])
            if len(claims) == 1:
                time.sleep(for_s())

    monkeypatch.setattr(Launcher, "add", freeze_once)
    return claims


async def test_the_loop_turns_between_portions_and_the_order_is_kept() -> None:
    begun: list[Claimed] = []
    starting = Launcher(lambda _, claimed: begun.append(claimed), _unexpected)
    owned, events = OwnedPartition(1, 1, 0.0), _claimed(3 * AT_ONCE + 5)
    starting.add(owned, events[:10])
    starting.add(owned, events[10:])
    assert set(owned.running) == {claimed.claim_id for claimed in events}, "they count as running before they begin"
    seen = []
    while starting:
        await asyncio.sleep(0)
        seen.append(len(begun))
    assert seen == [AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE, len(events)]
    assert begun == events
    starting.add(owned, events[:1])
    await asyncio.sleep(0)
    assert begun[-1] is events[0], "it begins again after it ran empty"


async def test_nothing_begins_of_a_partition_that_was_lost_or_after_the_end() -> None:
    begun: list[OwnedPartition] = []
    starting = Launcher(lambda owned, _: begun.append(owned), _unexpected)
    lost, kept = OwnedPartition(1, 1, 0.0), OwnedPartition(2, 1, 0.0)
    starting.add(lost, _claimed(3))
    starting.add(kept, _claimed(3))
    lost.closed.set()
    await asyncio.sleep(0)
    assert begun == [kept] * 3
    starting.add(kept, _claimed(3))
    starting.clear()
    await asyncio.sleep(0)
    assert begun == [kept] * 3


async def test_a_worker_that_stood_still_between_claim_and_attempt_claims_again_first(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = _frozen_after_the_first_claim(monkeypatch, lambda: shop.settings.lease + 0.2)
    event_id = await shop.emit(await shop.integration())
    await shop.work()
    stored = await shop.ended(event_id)
    assert stored.state.status is Status.SUCCEEDED
    assert claims == [[event_id]] * 2
    assert len(shop.host.requests) == len(await shop.attempts([event_id])) == 1
    await shop.assert_well()


async def test_a_worker_that_stood_still_relies_on_no_more_of_its_lease_than_a_claim_leaves(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that leaves a lease of which most is left says nothing about a whole one: the event went out twice."""
    claims = _frozen_after_the_first_claim(monkeypatch, lambda: freeze_s)
    lane = await shop.integration()
    own = f"{{p{shop.queue.partition_of(lane.id)}}}:own"

    async def left_s() -> float:
        seconds, microseconds = await shop.redis.time()
        until_ms = float(await shop.redis.hget(own, "until") or 0)  # type: ignore[misc]
        return until_ms / 1000 - int(seconds) - int(microseconds) / 1e6

    await shop.work()
    async with asyncio.timeout(10):
        while not 0.75 < (left := await left_s()) / shop.settings.lease < 0.8:
            await asyncio.sleep(0.002)
    freeze_s = left + 0.05
    await shop.ended(await shop.emit(lane))
    assert len(claims) == 2, "an attempt began after its lease had run out"
    assert len(shop.host.requests) == 1
    await shop.assert_well()


async def test_what_keeps_attempts_from_beginning_sets_their_partition_aside_and_it_comes_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Symptom: it began nothing more and kept its partitions, so that nobody else could."""
    begin, broken = Owner._begin, 2

    def begin_later(self: Owner, owned: OwnedPartition, claimed: Claimed) -> None:
        nonlocal broken
        broken -= 1
        if broken >= 0:
            raise MemoryError
        begin(self, owned, claimed)

    monkeypatch.setattr(Owner, "_begin", begin_later)
    lane = await shop.integration()
    ids = [await shop.emit(lane, account=str(i)) for i in range(3)]
    await shop.work()
    for event_id in ids:
        assert (await shop.ended(event_id)).state.attempts == 1
    await shop.assert_well()


async def test_an_attempt_that_has_not_begun_lends_its_place_to_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for this worker, not for its host: the busier the worker was, the more it claimed."""
    monkeypatch.setattr(Launcher, "_turn", lambda _: None)
    lane = await shop.integration()
    for i in range(20):
        await shop.emit(lane, account=str(i))
    await shop.work(concurrency=2, drain_timeout=0.1)
    await asyncio.sleep(1.5)
    assert (await shop.queue.overview()).in_flight == 2
    await shop.stop_all()
    await shop.assert_well()
