"""Accept: events that arrive together are written together (group commit), one round trip at a time.

A receipt exists only after the write. ``StoreUnavailable`` means that the outcome is unknown: the same
event (same id, or same idempotency key) may be sent again and is never accepted twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from dispatcher.errors import Conflict, StoreUnavailable
from dispatcher.ids import partition_of_event
from dispatcher.model.event import Event
from dispatcher.model.queue import Accepted
from dispatcher.store.queue import QueueStore

MAX_BATCH = 512
"""Events in one write: some 5 ms of Redis with 1 KB bodies."""
MAX_WAITING = 20_000
"""Events that may wait for their write before more are turned away."""


class Acceptor:
    """One per process. Run it with ``async with``; leaving finishes what was begun."""

    def __init__(self, queue: QueueStore) -> None:
        self._queue = queue
        self._waiting: list[tuple[Event, asyncio.Future[Accepted]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Acceptor:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer:
            await asyncio.wait([self._writer])

    async def accept(self, event: Event) -> Accepted:
        """Write one event, together with whatever else waits at this moment."""
        if len(self._waiting) >= MAX_WAITING:
            raise StoreUnavailable("too many events wait to be written; repeat in a second")
        receipt: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, receipt))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        return await receipt

    async def accept_many(self, events: Sequence[Event]) -> list[Accepted]:
        """Write several events of one request; all are written, or the outcome is unknown for all."""
        return list(await asyncio.gather(*(self.accept(event) for event in events)))

    async def accept_once(self, event: Event, *, client_id: str, key: str, body_hash: str) -> Accepted:
        """Write an event unless ``key`` was used before: then tell which event it made.

        Raises ``Conflict`` (idempotency_conflict) when the key came with another body. The key is bound to the
        id before the event is written, so a repeat after any failure completes the same event.
        """
        bound = await self._queue.reserve(client_id, key, body_hash, event.id)
        if bound.fresh:
            return await self.accept(event)
        if bound.body_hash != body_hash:
            raise Conflict.of(
                "idempotency_conflict",
                "this Idempotency-Key was used with another body: send the same body, or a new key",
                "Idempotency-Key",
            )
        before = await self._queue.get(bound.event_id)
        if before is None:
            return await self.accept(self._bound(event, bound.event_id))
        return Accepted(bound.event_id, before.state.sequence, before.state.created_ms, replayed=True)

    def _bound(self, event: Event, event_id: str) -> Event:
        """The event under the id that its key was bound to before a write that never came about."""
        if partition_of_event(event_id, self._queue.partitions) != self._queue.partition_of(event.integration_id):
            raise Conflict.of(
                "idempotency_conflict",
                "the product was linked to another integration since this key was first used: use a new key",
                "Idempotency-Key",
            )
        return replace(event, id=event_id)

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                await self._write(batch)
        finally:
            self._writer = None

    async def _write(self, batch: list[tuple[Event, asyncio.Future[Accepted]]]) -> None:
        try:
            receipts = await self._queue.accept([event for event, _ in batch])
        except Exception as error:
            # Whoever waits behind a write that failed would wait as long again for the same answer.
            behind, self._waiting = self._waiting, []
            for _, future in batch + behind:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), receipt in zip(batch, receipts, strict=True):
            if not future.done():
                future.set_result(receipt)
