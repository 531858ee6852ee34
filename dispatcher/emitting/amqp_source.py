"""A queue of an AMQP 0-9-1 broker as a source of events. The extra ``amqp`` installs what speaks to it.

A message's body is the JSON of a body of ``POST /v1/events``, its property ``message_id`` the idempotency key: brokers
deliver again what was not acknowledged, and without a name nobody could tell that from another event. What is no event
goes to the queue ``NAME.poison``, and is acknowledged once it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from dispatcher.emitting.amqp_broker import ANSWER_WITHIN_S, AWAY, QUEUE, REASON, Broker, publish, size
from dispatcher.emitting.intake import MOST, Given

WAIT_S = 1.0


class AmqpSource:
    """Connects when something is asked of it, and again after a loss. ``close`` it at the end."""

    key_name = "message_id"

    def __init__(self, url: str, queue: str, *, wait_s: float = WAIT_S) -> None:
        self.name = f"queue {queue}"
        self.key_space = f"amqp\n{queue}\n"
        self.poison = f"{queue}.poison"
        self._broker = Broker(url)
        self._queue = queue
        self._wait_s = wait_s
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self._kept: dict[str, AbstractIncomingMessage] = {}
        self._known = False

    async def next(self) -> Sequence[Given]:
        if self._channel is None or self._channel.is_closed:
            await self._open()
        if not self._kept:
            self._kept = {str(one.delivery_tag): one for one in await self._new()}
        return [Given(of, one.body, one.message_id or "") for of, one in self._kept.items()]

    async def acknowledge(self, ids: Sequence[str]) -> None:
        with self._broker.guarded():
            for one in ids:
                await self._kept[one].ack()
                del self._kept[one]

    async def set_aside(self, of: str, reason: str) -> None:
        message, channel = self._kept[of], self._channel
        assert channel is not None
        with self._broker.guarded():
            await publish(channel, self.poison, message, {REASON: reason, QUEUE: self._queue})
            await message.ack()
        del self._kept[of]

    async def aside(self) -> int:
        if self._channel is None or self._channel.is_closed:
            await self._open()
        assert self._channel is not None
        with self._broker.guarded():
            return size(await self._channel.declare_queue(self.poison, passive=True, timeout=ANSWER_WITHIN_S))

    def again(self) -> None:
        """Messages stay in hand until they are acknowledged, or until their connection is lost."""

    async def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(*AWAY):
                await connection.close()

    async def _new(self) -> list[AbstractIncomingMessage]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._wait_s):
                messages = [await self._arrived.get()]
                while len(messages) < MOST and not self._arrived.empty():
                    messages.append(self._arrived.get_nowait())
                return messages
        await self._look_after_queue()
        return []

    async def _look_after_queue(self) -> None:
        """A queue that is deleted delivers nothing, and says so to those who ask."""
        assert self._channel is not None
        with self._broker.guarded():
            await self._channel.declare_queue(self._queue, passive=True, timeout=ANSWER_WITHIN_S)

    async def _open(self) -> None:
        """Raises ConfigurationError when the broker refuses at the very first, SourceUnavailable later on."""
        await self.close()
        self._kept, self._arrived = {}, asyncio.Queue()
        with self._broker.guarded(strict=not self._known):
            self._connection = await self._broker.connected()
            channel = await self._connection.channel(on_return_raises=True)
            await channel.set_qos(prefetch_count=MOST, timeout=ANSWER_WITHIN_S)
            queue = await channel.declare_queue(self._queue, passive=True, timeout=ANSWER_WITHIN_S)
            await channel.declare_queue(self.poison, durable=True, timeout=ANSWER_WITHIN_S)
            await queue.consume(self._arrived.put, timeout=ANSWER_WITHIN_S)
        self._channel, self._known = channel, True
