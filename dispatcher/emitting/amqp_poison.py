"""The queue beside a queue of events, with what intake set aside: to look at, to hand out again, to delete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractQueue

from dispatcher.emitting.amqp_broker import ANSWER_WITHIN_S, REASON, Broker, publish, size
from dispatcher.emitting.poison import Poison
from dispatcher.store.queue.acting.intake import MOST_AT_ONCE


class QueuePoison:
    """Connects for each act. Raises ConfigurationError for what the broker refuses, and ``SourceUnavailable``."""

    def __init__(self, url: str, queue: str) -> None:
        self.source = f"queue {queue}"
        self._broker = Broker(url)
        self._queue = queue

    async def list(self, most: int) -> list[Poison]:
        """Oldest first. They stay: what is taken and not acknowledged goes back with its channel."""
        found: list[Poison] = []
        async with self._open() as (_, aside):
            while len(found) < most and (one := await aside.get(fail=False, timeout=ANSWER_WITHIN_S)) is not None:
                reason = str(one.headers.get(REASON, ""))
                found.append(Poison(str(len(found) + 1), one.message_id or "", reason, one.body))
        return found

    async def put_back(self) -> int:
        """Each is in both queues for a moment, never in none."""
        done = 0
        async with self._open() as (channel, aside):
            for _ in range(min(size(aside), MOST_AT_ONCE)):
                one = await aside.get(fail=False, timeout=ANSWER_WITHIN_S)
                if one is None:
                    break
                await publish(channel, self._queue, one, {})
                await one.ack()
                done += 1
        return done

    async def discard(self) -> int:
        async with self._open() as (_, aside):
            return (await aside.purge(timeout=ANSWER_WITHIN_S)).message_count or 0

    async def count(self) -> int:
        async with self._open() as (_, aside):
            return size(aside)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[tuple[AbstractChannel, AbstractQueue]]:
        with self._broker.guarded(strict=True):
            async with (
                await self._broker.connected() as connection,
                connection.channel(on_return_raises=True) as channel,
            ):
                name = f"{self._queue}.poison"
                yield channel, await channel.declare_queue(name, passive=True, timeout=ANSWER_WITHIN_S)
