"""A queue of an AMQP 0-9-1 broker as a source of events. The extra ``amqp`` installs what speaks to it.

A message's body is the JSON of a body of ``POST /v1/events``, its property ``message_id`` the idempotency key: brokers
deliver again what was not acknowledged, and without a name nobody could tell that from another event. What is no event
goes to the queue ``NAME.poison``, and is acknowledged once it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aiormq import exceptions as failures
from yarl import URL

from dispatcher.emitting.intake import MOST, Given
from dispatcher.errors import ConfigurationError, SourceUnavailable

CONNECT_WITHIN_S = 10.0
ANSWER_WITHIN_S = 30.0
WAIT_S = 1.0
REASON, QUEUE = "x-dispatcher-reason", "x-dispatcher-queue"
MOST_HEADER = 512
"""Characters of a header's value that are kept of what is set aside."""
MOST_HEADERS = 16
REFUSED = (
    failures.AuthenticationError,
    failures.ProbableAuthenticationError,
    failures.ConnectionNotAllowed,
    failures.ChannelAccessRefused,
    failures.ChannelNotFoundEntity,
    failures.ChannelPreconditionFailed,
)
"""Ends a start: a wrong URL, user, virtual host or queue."""
AWAY = (failures.AMQPError, failures.ChannelInvalidStateError, OSError, TimeoutError, asyncio.CancelledError)


class Poison(NamedTuple):
    """A message that was set aside."""

    id: str
    reason: str
    event: bytes


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
            await _publish(channel, self.poison, message, {REASON: reason, QUEUE: self._queue})
            await message.ack()
        del self._kept[of]

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


class Broker:
    """Address of a queue, and the meaning of its failures."""

    def __init__(self, url: str) -> None:
        """Raises ConfigurationError for what is no address of a broker."""
        try:
            self._url = URL(url)
        except ValueError as error:
            raise ConfigurationError(f"the broker's URL cannot be read ({error})") from None
        if self._url.scheme not in ("amqp", "amqps") or not self._url.host:
            raise ConfigurationError("give amqp://[user:password@]host[:port][/virtual-host], or amqps:// with TLS")
        self.label = str(self._url.with_user(None).with_query(None))

    async def connected(self) -> AbstractConnection:
        return await aio_pika.connect(self._url, timeout=CONNECT_WITHIN_S)

    @contextmanager
    def guarded(self, *, strict: bool = False) -> Iterator[None]:
        """``strict``: what the broker refuses is a wrong setting."""
        try:
            yield
        except REFUSED as error:
            if strict:
                raise ConfigurationError(f"{self.label} refuses: {_words(error)}") from None
            raise SourceUnavailable(f"{self.label} refuses: {_words(error)}") from error
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            raise SourceUnavailable(f"{self.label}: the connection was lost") from error
        except AWAY as error:
            raise SourceUnavailable(f"{self.label} cannot be reached: {_words(error)}") from error


@asynccontextmanager
async def _channel(broker: Broker) -> AsyncIterator[AbstractChannel]:
    """A channel that takes nothing by itself; what it took and did not acknowledge goes back when it is closed."""
    with broker.guarded(strict=True):
        async with await broker.connected() as connection, connection.channel(on_return_raises=True) as channel:
            yield channel


async def poisoned(url: str, queue: str, most: int) -> list[Poison]:
    """Messages that were set aside, oldest first; they stay where they are."""
    async with _channel(Broker(url)) as channel:
        aside = await channel.declare_queue(f"{queue}.poison", passive=True, timeout=ANSWER_WITHIN_S)
        found: list[Poison] = []
        while len(found) < most and (one := await aside.get(fail=False, timeout=ANSWER_WITHIN_S)) is not None:
            found.append(Poison(one.message_id or "", str(one.headers.get(REASON, "")), one.body))
        return found


async def _publish(
    channel: AbstractChannel, queue: str, original: AbstractIncomingMessage, headers: Mapping[str, str]
) -> None:
    """The same message in another queue, once the broker has it there."""
    copy = aio_pika.Message(
        original.body,
        headers={**_kept_headers(original.headers), **headers},
        message_id=original.message_id,
        content_type=original.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
    await channel.default_exchange.publish(copy, routing_key=queue, timeout=ANSWER_WITHIN_S)


def _kept_headers(headers: Mapping[str, object]) -> dict[str, str]:
    """As text, and so much of them that ours fit beside them into a frame."""
    return {name: str(value)[:MOST_HEADER] for name, value in list(headers.items())[:MOST_HEADERS]}


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
