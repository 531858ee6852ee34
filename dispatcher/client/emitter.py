"""Many events in few requests: gathered into batches, bounded, in the order in which they were put.

Each event has a key from the moment it is put: batches are CloudEvents, whose source and id the API takes for it, so
that a batch may be repeated until it is answered. One batch is under way at a time, which keeps the order of accounts.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import orjson

from dispatcher.client.answers import NewEvent
from dispatcher.client.batches import Batches, Put
from dispatcher.client.transport import Call

SOURCE = "urn:marketplace-dispatcher:emitter"

_ATTRIBUTES = {
    "type": "type",
    "productId": "productid",
    "accountId": "accountid",
    "subscriptionId": "subscriptionid",
    "flag": "flag",
    "payload": "data",
}
"""Attributes of a CloudEvent by the fields of an event. There is none for its creator."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """``waiting``: events that may be put before ``put`` waits. ``give_up_s``: how long a batch is repeated."""

    batch: int = 500
    batch_bytes: int = 512 * 1024
    wait_s: float = 0.05
    waiting: int = 5_000
    give_up_s: float = 60.0


BOUNDS = Bounds()


class Emitter:
    """Use as ``async with``: leaving it waits until all that was put has an answer."""

    def __init__(self, call: Callable[[Call], Awaitable[Any]], source: str, bounds: Bounds) -> None:
        self._batches = Batches(call, bounds.give_up_s)
        self._source = source
        self._bounds = bounds
        self._queue: asyncio.Queue[Put | None] = asyncio.Queue(bounds.waiting)
        self._next: Put | None = None
        self._ended = False
        self._sender: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._sender = asyncio.create_task(self._send_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sender, self._sender = self._sender, None
        assert sender is not None
        try:
            await self._queue.put(None)
            await sender
        finally:
            sender.cancel()
            while not self._queue.empty():
                _cancel([one] if (one := self._queue.get_nowait()) else [])

    async def put(self, event: NewEvent | Mapping[str, Any], key: str | None = None) -> asyncio.Future[str]:
        """Waits for room, then gives what becomes the event's id, ApiError, or Unreachable once it is given up.

        The same ``key`` is the same event for 24 hours. Raises ValueError for a field that batches cannot carry.
        """
        if self._sender is None:
            raise RuntimeError("use `async with client.emitter()`")
        made = Put(self._document(event, key or str(uuid.uuid4())), asyncio.get_running_loop().create_future())
        made.accepted.add_done_callback(_seen)
        await self._queue.put(made)
        return made.accepted

    async def emit(self, event: NewEvent | Mapping[str, Any], key: str | None = None) -> str:
        """The id, once the event is accepted. Many at a time share a batch."""
        return await (await self.put(event, key))

    def _document(self, event: Mapping[str, Any], key: str) -> bytes:
        foreign = event.keys() - _ATTRIBUTES.keys()
        if foreign:
            raise ValueError(f"a batch carries no {', '.join(sorted(foreign))}: use Client.emit for this event")
        given = {_ATTRIBUTES[name]: value for name, value in event.items() if value is not None}
        return orjson.dumps(given | {"specversion": "1.0", "source": self._source, "id": key})

    async def _send_all(self) -> None:
        while batch := await self._gathered():
            try:
                await self._batches.send(batch)
            finally:
                _cancel(batch)

    async def _gathered(self) -> list[Put]:
        """The next batch, as soon as it is full or its first event has waited; empty = the end."""
        first = self._next or await self._take()
        self._next = None
        if first is None:
            return []
        batch, size = [first], len(first.document)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._bounds.wait_s):
                while len(batch) < self._bounds.batch and (one := await self._take()) is not None:
                    size += len(one.document)
                    if size > self._bounds.batch_bytes:
                        self._next = one
                        break
                    batch.append(one)
        return batch

    async def _take(self) -> Put | None:
        """None = nothing is put any more."""
        one = None if self._ended else await self._queue.get()
        self._ended = one is None
        return one


def _cancel(batch: Sequence[Put]) -> None:
    for one in batch:
        one.accepted.cancel()


def _seen(accepted: asyncio.Future[str]) -> None:
    """Failures that nobody waits for are in the log."""
    if not accepted.cancelled():
        accepted.exception()
