"""Group commit: whoever accepts gets a receipt, whatever else is written at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from redis.asyncio import Redis

from dispatcher.errors import StoreDeclined, StoreUnavailable
from dispatcher.flow.events.making.accept import ENOUGH, Acceptor
from dispatcher.ids import new_event_id
from dispatcher.model.event import Event, EventDocument
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Accepted
from dispatcher.store.queue.events import QueueStore
from tests.waiting import until


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


class HeldQueue(QueueStore):
    """Notes how many events each write has, and writes nothing until it is told to."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, partitions=4, retention_ms=1000)
        self.sizes: list[int] = []
        self.gates: list[asyncio.Event] = []

    async def accept_each(self, documents: Sequence[EventDocument]) -> list[Accepted | Exception]:
        self.sizes.append(len(documents))
        self.gates.append(gate := asyncio.Event())
        await gate.wait()
        return await super().accept_each(documents)


async def test_a_writer_leaves_few_events_to_the_one_that_still_writes(redis: Redis) -> None:
    queue = HeldQueue(redis)
    async with Acceptor(queue) as acceptor, asyncio.timeout(30), asyncio.TaskGroup() as callers:
        for arriving in (1, ENOUGH, 3):
            for _ in range(arriving):
                callers.create_task(acceptor.accept(_event()))
            await _pass()
        assert queue.sizes == [1, ENOUGH]
        queue.gates[0].set()
        await _pass()
        assert queue.sizes == [1, ENOUGH]
        queue.gates[1].set()
        await until(lambda: len(queue.gates) >= 3)
        queue.gates[2].set()
    assert queue.sizes == [1, ENOUGH, 3]


async def _pass() -> None:
    """Long enough for what is ready to run, a write on loopback included."""
    await asyncio.sleep(0.1)


class DecliningQueue(QueueStore):
    """One that does not take what is for some accounts."""

    async def accept_each(self, documents: Sequence[EventDocument]) -> list[Accepted | Exception]:
        receipts = await super().accept_each(documents)
        return [
            StoreDeclined("its slot moves") if one.text.split(b"\n")[1] == b"moves" else receipt
            for one, receipt in zip(documents, receipts, strict=True)
        ]


async def test_a_partition_that_declines_fails_its_own_requests_of_a_write_and_no_other(redis: Redis) -> None:
    """Symptom: one partition whose slot moved answered every request of the same write with an unknown outcome."""
    well, moves = _event()._replace(account_id="well"), _event()._replace(account_id="moves")
    async with Acceptor(DecliningQueue(redis, partitions=4, retention_ms=1000)) as acceptor:
        asked = [acceptor.accept(well), acceptor.accept(moves), acceptor.accept_many([well, moves])]
        one, declined, both = await asyncio.gather(*asked, return_exceptions=True)
        alone = (await asyncio.gather(acceptor.accept_many([moves, moves]), return_exceptions=True))[0]
    assert isinstance(one, Accepted)
    assert isinstance(declined, StoreDeclined)
    assert type(both) is StoreUnavailable, "some of it was written: nobody may say that nothing was done"
    assert isinstance(alone, StoreDeclined)
