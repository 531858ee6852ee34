"""The AMQP source at its seam to the broker's library: what is acknowledged when, and what a failure means.

A real broker is tried by hand (docs/api.md, From a queue).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import aio_pika
import pytest
from aiormq import exceptions as failures

from dispatcher.emitting.amqp_broker import REASON, Broker
from dispatcher.emitting.amqp_source import AmqpSource
from dispatcher.emitting.intake import Given
from dispatcher.errors import ConfigurationError, SourceUnavailable

URL = "amqp://user:secret@broker.example:5673/shop"


@dataclass
class Message:
    """As the library hands it out; ``told`` hears what is done with it."""

    told: list[str]
    delivery_tag: int
    body: bytes = b"{}"
    message_id: str | None = "m"
    headers: dict[str, Any] = field(default_factory=dict)
    content_type: str | None = None

    async def ack(self) -> None:
        self.told.append(f"ack {self.delivery_tag}")


class Channel:
    """The broker's side: one queue, whose consumer gets what a test puts."""

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.is_closed = False
        self.default_exchange = self
        self.refusal: Exception | None = None
        self.consumer: Any = None

    async def channel(self, **_: Any) -> Channel:
        return self

    async def set_qos(self, **_: Any) -> None: ...

    async def declare_queue(self, name: str, **_: Any) -> Channel:
        if self.refusal:
            raise self.refusal
        return self

    async def consume(self, callback: Any, **_: Any) -> None:
        self.consumer = callback

    async def publish(self, message: Any, routing_key: str, **_: Any) -> None:
        if self.refusal:
            raise self.refusal
        self.told.append(f"publish {routing_key} {message.headers[REASON]}")

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def channels(monkeypatch: pytest.MonkeyPatch, told: list[str]) -> list[Channel]:
    """Every one that was opened, newest last."""
    opened: list[Channel] = []

    async def connect(*_: Any, **__: Any) -> Channel:
        opened.append(Channel(told))
        return opened[-1]

    monkeypatch.setattr(aio_pika, "connect", connect)
    return opened


@pytest.fixture
async def source(channels: list[Channel]) -> AmqpSource:
    made = AmqpSource(URL, "orders", wait_s=0.01)
    assert await made.next() == []
    return made


async def test_a_message_stays_in_hand_until_it_is_acknowledged(
    source: AmqpSource, channels: list[Channel], told: list[str]
) -> None:
    await channels[-1].consumer(Message(told, 1, b"one", "m-1"))
    await channels[-1].consumer(Message(told, 2, b"two", None))
    given = await source.next()
    source.again()
    assert await source.next() == given == [Given("1", b"one", "m-1"), Given("2", b"two", "")]
    assert told == []
    await source.acknowledge(["1"])
    assert [one.id for one in await source.next()] == ["2"]
    assert told == ["ack 1"]


async def test_poison_is_acknowledged_once_it_is_kept_elsewhere(
    source: AmqpSource, channels: list[Channel], told: list[str]
) -> None:
    await channels[-1].consumer(Message(told, 1, headers={"x": "y" * 100_000, "z": [object()], REASON: "old"}))
    await source.next()
    channels[-1].refusal = failures.ChannelClosed("full")
    with pytest.raises(SourceUnavailable):
        await source.set_aside("1", "no event")
    assert told == []
    channels[-1].refusal = None
    await source.set_aside("1", "no event")
    assert told == ["publish orders.poison no event", "ack 1"]
    assert await source.next() == []


async def test_what_was_in_hand_goes_with_its_connection(
    source: AmqpSource, channels: list[Channel], told: list[str]
) -> None:
    await channels[-1].consumer(Message(told, 1))
    await source.next()
    channels[-1].is_closed = True
    assert await source.next() == []
    assert len(channels) == 2
    await channels[-1].consumer(Message(told, 1, b"again"))
    assert [one.event for one in await source.next()] == [b"again"]


async def test_a_queue_that_is_deleted_is_noticed_while_nothing_comes(
    source: AmqpSource, channels: list[Channel]
) -> None:
    channels[-1].refusal = failures.ChannelNotFoundEntity("no queue 'orders'")
    with pytest.raises(SourceUnavailable, match="no queue 'orders'"):
        await source.next()


@pytest.mark.parametrize(
    ("error", "strict", "raised"),
    [
        (failures.ChannelNotFoundEntity("no queue"), True, ConfigurationError),
        (failures.AuthenticationError("refused"), True, ConfigurationError),
        (failures.AuthenticationError("refused"), False, SourceUnavailable),
        (failures.ConnectionClosed("bye"), True, SourceUnavailable),
        (failures.ChannelInvalidStateError("closed"), True, SourceUnavailable),
        (ConnectionResetError("reset"), False, SourceUnavailable),
        (TimeoutError(), False, SourceUnavailable),
        (asyncio.CancelledError(), False, SourceUnavailable),
        (ZeroDivisionError(), False, ZeroDivisionError),
    ],
)
async def test_failures_say_who_is_away_and_never_the_password(
    error: BaseException, strict: bool, raised: type[Exception]
) -> None:
    with pytest.raises(raised) as found, Broker(URL).guarded(strict=strict):
        raise error
    assert "secret" not in str(found.value)
    assert raised is ZeroDivisionError or "amqp://broker.example:5673/shop" in str(found.value)


@pytest.mark.parametrize("url", ["http://broker.example", "amqp://", "broker.example:5672", "amqp://h:port/"])
def test_what_is_no_address_of_a_broker_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Broker(url)
