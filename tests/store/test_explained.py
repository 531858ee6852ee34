"""An event and why it waits, as of one moment."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.store.queue.events import QueueStore
from tests.events import event_of
from tests.hand_worker import HandWorker

LANE, PARTITIONS = "11111111-1111-4111-8111-111111111111", 4


async def test_status_and_reason_are_of_one_look(redis: Redis) -> None:
    queue, worker = QueueStore(redis, partitions=PARTITIONS, retention_ms=3_600_000), HandWorker(redis, PARTITIONS)
    first, second = event_of(LANE, PARTITIONS, "A-1"), event_of(LANE, PARTITIONS, "A-1")
    await queue.accept([first, second])
    home = queue.partition_of(LANE)
    await worker.own(home)
    await worker.claim(home, 10)
    stored, why = (await queue.explained(first.id)) or (None, None)
    assert stored is not None
    assert why is not None
    assert (stored.event, stored.state.status, why.status, why.reason) == (
        first,
        Status.DELIVERING,
        Status.DELIVERING,
        Reason.IN_FLIGHT,
    )
    behind = await queue.explained(second.id)
    assert behind is not None
    assert (behind[0].state.status, behind[1].status, behind[1].blocked_by) == (Status.HELD, Status.HELD, first.id)
    assert behind[1].cause == why
    assert await queue.explained("0195f1c0-0000-7000-8000-000000000001") is None
