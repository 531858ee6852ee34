"""The AMQP 0-9-1 broker: its address, what its failures mean, and a message's way into another queue of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage, AbstractQueue
from aiormq import exceptions as failures
from yarl import URL

from dispatcher.errors import ConfigurationError, SourceUnavailable

CONNECT_WITHIN_S = 10.0
ANSWER_WITHIN_S = 30.0
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


async def publish(
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
    foreign = [(name, value) for name, value in headers.items() if name not in (REASON, QUEUE)]
    return {name: str(value)[:MOST_HEADER] for name, value in foreign[:MOST_HEADERS]}


def size(queue: AbstractQueue) -> int:
    return queue.declaration_result.message_count or 0


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
