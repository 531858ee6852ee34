"""The queue's story on every server found: the packaged one, and a Redis or Valkey of the system."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from dispatcher.model.status import Status
from dispatcher.store.queue.owning.partition import REPAIR_START
from dispatcher.store.redis.connection import connect
from tests.store.desk import LANE, Desk


@pytest.fixture
async def desk(server_url: str) -> AsyncIterator[Desk]:
    async with connect(server_url) as client:
        await client.flushall()
        yield await Desk(client, partitions=1, lane_cap=10).open()


async def assert_well(desk: Desk) -> None:
    await desk.assert_well()
    assert (await desk.store.repair({0: REPAIR_START}))[0][1] == 0


async def test_accept_claim_settle_in_order(desk: Desk) -> None:
    first, second, alone = await desk.emit("A"), await desk.emit("A"), await desk.emit(None)
    claimed = {one.event.id: one for one in (await desk.claim()).events}
    assert set(claimed) == {first, alone}
    assert await desk.settle(claimed[first], Status.RETRYING) == 1
    assert await desk.settle(claimed[alone], Status.SUCCEEDED) == 1
    again = (await desk.claim()).events
    assert [one.event.id for one in again] == [first]
    assert await desk.settle(again[0], Status.DEAD) == 1
    last = (await desk.claim()).events
    assert [one.event.id for one in last] == [second]
    assert await desk.settle(last[0], Status.AWAITING_RESULT, 60_000) == 1
    await desk.queue.result(second, success=True, account_identifier="A-1")
    await assert_well(desk)
    assert (await desk.store.recount()).terminal == 3


async def test_rest_and_resume_give_back_what_was_held(desk: Desk) -> None:
    event_id = await desk.emit("A")
    claimed = (await desk.claim()).events[0]
    await desk.queue.suspend_url(LANE, "https://host.test/x")
    await desk.settle(claimed, Status.HELD)
    await desk.queue.pause(LANE)
    assert await desk.queue.resume(LANE) == 1
    assert await desk.store.rest(0, desk.generation)
    await desk.open()
    assert [one.event.id for one in (await desk.claim()).events] == [event_id]
    await assert_well(desk)


async def test_an_attempt_overtaken_by_a_redelivery_settles_nothing(desk: Desk) -> None:
    event_id = await desk.emit("A")
    overtaken = (await desk.claim()).events[0]
    await desk.queue.result(event_id, success=False)
    await desk.queue.redeliver(event_id, None)
    again = (await desk.claim()).events[0]
    assert await desk.settle(overtaken, Status.SUCCEEDED) == 0
    assert await desk.settle(again, Status.SUCCEEDED) == 1
    await assert_well(desk)


async def test_everything_can_be_read(desk: Desk) -> None:
    event_id = await desk.emit("A")
    await desk.claim()
    stored, why, view = (
        await desk.queue.get(event_id),
        await desk.queue.explain(event_id),
        await desk.queue.overview(),
    )
    assert stored is not None
    assert why is not None
    assert (stored.state.status, view.in_flight) == (Status.DELIVERING, 1)
    assert [change.status for change in await desk.queue.changes(None)] == [Status.QUEUED]
