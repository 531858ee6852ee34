"""Group commit: whoever accepts gets a receipt, whatever else is written at that moment."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from dispatcher.flow.accept import Acceptor
from dispatcher.ids import new_event_id
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.store.queue import QueueStore


def _event() -> Event:
    return Event(new_event_id(1, 0), EventType.SUBSCRIPTION_CHANGE, "lane", 1, product_id="P")


async def test_an_event_that_comes_as_the_last_write_ends_is_written_too(redis: Redis) -> None:
    """Its caller wakes between the end of the writer and whatever else runs because of that end."""
    async with Acceptor(QueueStore(redis, partitions=1, retention_ms=10_000)) as acceptor, asyncio.timeout(20):

        async def one_after_another() -> list[str]:
            return [(await acceptor.accept(_event())).id for _ in range(20)]

        accepted = await asyncio.gather(*(one_after_another() for _ in range(5)))
    assert len({event_id for ids in accepted for event_id in ids}) == 100


async def test_leaving_finishes_what_was_begun(redis: Redis) -> None:
    queue = QueueStore(redis, partitions=1, retention_ms=10_000)
    async with Acceptor(queue) as acceptor:
        asks = [asyncio.create_task(acceptor.accept(_event())) for _ in range(40)]
        await asyncio.sleep(0)
    receipts = await asyncio.gather(*asks)
    assert all([await queue.get(receipt.id) for receipt in receipts])
