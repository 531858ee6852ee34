"""Accept: events that arrive together are written together (group commit).

A receipt exists only after the write. ``StoreUnavailable`` means that the outcome is unknown: the same
event (same id, or same idempotency key) may be sent again and is never accepted twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from itertools import islice
from typing import Any, NamedTuple, Protocol, cast

from dispatcher.errors import Conflict, Problem, RequestError, StoreDeclined, StoreUnavailable
from dispatcher.ids import partition_of_event
from dispatcher.model.event import Event, EventDocument
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Accepted
from dispatcher.store.queue.acting.reservations import Reservation
from dispatcher.store.queue.events import QueueStore

MAX_BATCH = 512
"""Events in one write: some 5 ms of Redis with 1 KB bodies."""
MAX_WRITES = 2
"""Writes under way at a time: while Redis syncs one, the next is filled and sent."""
ENOUGH = 32
"""Events that are worth a write beside the one under way."""
MAX_WAITING = 20_000
"""Events that may wait for their write before more are turned away."""

FULL_RETRY_AFTER_S = 5


_ORDER = EventType.SUBSCRIPTION_ORDER


class _Ask(NamedTuple):
    """Documents of one request. They go into one write, so that their order is the one they came in."""

    documents: Sequence[EventDocument]
    receipts: asyncio.Future[list[Accepted]]


class Keyed(NamedTuple):
    """An event to accept once for its key, and the hash of what was asked for with it."""

    event: Event
    key: str
    body_hash: str


class Orders(Protocol):
    """Keeps orders beside the queue, before they are written to it."""

    async def check(self, event: Event) -> None:
        """Raises ``Conflict`` for an ORDER of what the account has; writes nothing."""

    async def before(self, event: Event) -> Event:
        """The ORDER to write: the same, or as it is kept."""

    async def after(self, event: Event) -> None:
        """It is written."""


class Acceptor:
    """One per process. Run it with ``async with``; leaving finishes what was begun."""

    def __init__(self, queue: QueueStore, orders: Orders | None = None) -> None:
        self._queue = queue
        self._orders = orders
        self._waiting: list[_Ask] = []
        self._waiting_events = 0
        self._writers: set[asyncio.Task[None]] = set()
        """Running tasks only: a writer takes itself out in the step in which it finds nothing to write."""
        self._starting = False
        self._room = MAX_WAITING
        self.newest_id: str | None = None
        """The last event of the last write."""

    async def __aenter__(self) -> Acceptor:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writers:
            await asyncio.wait(self._writers)

    async def accept(self, event: Event) -> Accepted:
        """Write one event, together with whatever else waits at this moment."""
        if event.type is not _ORDER or self._orders is None:
            return (await self._asked((event,)))[0]
        return (await self._accept_orders((event,), self._orders))[0]

    def takes_at_once(self, event: Event) -> bool:
        """True when one write is all that is to be done for it, and there is room for that."""
        return self._has_room and (event.type is not _ORDER or self._orders is None)

    def begin(self, event: Event) -> asyncio.Future[list[Accepted]]:
        """As ``accept`` of an event that it ``takes_at_once``: the receipt to come, for whoever waits by itself."""
        return self._asked((event,))

    async def check(self, event: Event) -> None:
        """Raises what ``accept`` would refuse the event with; writes nothing."""
        if event.type is _ORDER and self._orders is not None:
            await self._orders.check(event)

    async def checked(self, events: Sequence[Event | RequestError]) -> Sequence[Event | RequestError]:
        """The same, with its refusal in the place of an event that ``accept`` would refuse; writes nothing."""
        if self._orders is None:
            return events
        return [await self._admissible(one) if isinstance(one, Event) and one.type is _ORDER else one for one in events]

    def accept_many(self, events: Sequence[Event]) -> Awaitable[list[Accepted]]:
        """Write several events of one request; all are written, or the outcome is unknown for all."""
        if self._orders is None or not any(event.type is _ORDER for event in events):
            return self._asked(events)
        return self._accept_orders(events, self._orders)

    async def _accept_orders(self, events: Sequence[Event], orders: Orders) -> list[Accepted]:
        if not self._room:
            raise self._refusal()
        kept = [await orders.before(event) if event.type is _ORDER else event for event in events]
        try:
            receipts = await self._asked(kept)
        except StoreDeclined as error:
            if all(written is given for given, written in zip(events, kept, strict=True)):
                raise
            raise StoreUnavailable(str(error)) from error  # what is kept is written later, by whoever reconciles
        for given, written in zip(events, kept, strict=True):
            if written is not given:
                await orders.after(written)
        return receipts

    def _asked(self, events: Sequence[Event]) -> asyncio.Future[list[Accepted]]:
        """The receipts to come. Documents are made at once: what goes into them is still in the processor's caches."""
        receipts: asyncio.Future[list[Accepted]] = asyncio.get_running_loop().create_future()
        if not events:
            receipts.set_result([])
            return receipts
        if not self._has_room:
            raise self._refusal()
        self._waiting.append(_Ask([event.document() for event in events], receipts))
        self._waiting_events += len(events)
        if self._wants_writer():
            self._starting = True
            self._writers.add(asyncio.create_task(self._write_waiting()))
        return receipts

    @property
    def _has_room(self) -> bool:
        return self._waiting_events < self._room

    def close(self, closed: bool) -> None:
        """Turn events away, or take them again; writes under way are finished either way."""
        self._room = 0 if closed else MAX_WAITING

    def _refusal(self) -> Exception:
        if self._room:
            return StoreUnavailable("too many events wait to be written; repeat in a second")
        text = "The store is nearly full, so nothing was accepted; repeat it later."
        return RequestError([Problem("store_full", text)], 503, {"Retry-After": str(FULL_RETRY_AFTER_S)})

    def _wants_writer(self) -> bool:
        """True when nobody writes, or when enough waits for a second write beside the one under way."""
        if self._starting or len(self._writers) >= MAX_WRITES:
            return False
        return not self._writers or self._waiting_events >= ENOUGH

    def _goes_on(self) -> bool:
        """True for a writer that is to write again: the only one for anything, one of two for a write's worth."""
        return bool(self._waiting) and (len(self._writers) == 1 or self._waiting_events >= ENOUGH)

    async def accept_once(self, event: Event, *, client_id: str, key: str, body_hash: str) -> Accepted:
        """Write an event unless ``key`` was used before: then return the event that it made.

        Raises ``Conflict`` (idempotency_conflict) when the key came with another body. The key is bound to the
        id before the event is written, so a repeat after any failure completes the same event.
        """
        if not self._room:
            raise self._refusal()
        bound = await self._queue.reserve(client_id, key, body_hash, event.id)
        found = event if bound.fresh else await self._found(event, body_hash, bound)
        return found if isinstance(found, Accepted) else await self.accept(found)

    async def accept_each_once(self, asked: Sequence[Keyed], client_id: str) -> list[Accepted | RequestError]:
        """As ``accept_once`` for each, those that are new in the order given; a refusal is in its event's place."""
        if not self._room:
            raise self._refusal()
        bound = await self._queue.reserve_each(client_id, [(one.key, one.body_hash, one.event.id) for one in asked])
        found = [await self._admitted(one, kept) for one, kept in zip(asked, bound, strict=True)]
        receipts = iter(await self.accept_many([one for one in found if isinstance(one, Event)]))
        return [next(receipts) if isinstance(one, Event) else one for one in found]

    async def _admitted(self, asked: Keyed, bound: Reservation) -> Event | Accepted | RequestError:
        try:
            found = asked.event if bound.fresh else await self._found(asked.event, asked.body_hash, bound)
        except RequestError as error:
            return error
        return await self._admissible(found) if isinstance(found, Event) else found

    async def _admissible(self, event: Event) -> Event | RequestError:
        try:
            await self.check(event)
        except RequestError as error:
            return error
        return event

    async def _found(self, event: Event, body_hash: str, bound: Reservation) -> Event | Accepted:
        """The receipt of the event that a key made before, or that event where its write never came about."""
        if bound.body_hash != body_hash:
            raise Conflict.of(
                "idempotency_conflict",
                "this Idempotency-Key was used with another body: send the same body, or a new key",
                "Idempotency-Key",
            )
        before = await self._queue.get(bound.event_id)
        if before is None:
            return self._bound(event, bound.event_id)
        if self._queue.strict:
            await self.accept(before.event)
        return Accepted(bound.event_id, before.state.sequence, before.state.created_ms, replayed=True)

    def _bound(self, event: Event, event_id: str) -> Event:
        """The event under the id that its key was bound to before a write that never came about."""
        if partition_of_event(event_id, self._queue.partitions) != self._queue.partition_of(event.integration_id):
            raise Conflict.of(
                "idempotency_conflict",
                "the product was linked to another integration since this key was first used: use a new key",
                "Idempotency-Key",
            )
        return event._replace(id=event_id)

    async def _write_waiting(self) -> None:
        self._starting = False
        try:
            while self._goes_on():
                await self._write(self._take())
        finally:
            self._writers.remove(cast("asyncio.Task[None]", asyncio.current_task()))

    def _take(self) -> list[_Ask]:
        """Whole requests, up to about ``MAX_BATCH`` events."""
        taken: list[_Ask] = []
        size = 0
        while len(taken) < len(self._waiting) and size < MAX_BATCH:
            size += len(self._waiting[len(taken)].documents)
            taken.append(self._waiting[len(taken)])
        del self._waiting[: len(taken)]
        self._waiting_events -= size
        return taken

    async def _write(self, asks: list[_Ask]) -> None:
        try:
            receipts = await self._queue.accept_each([one for ask in asks for one in ask.documents])
        except Exception as error:
            # Whoever waits behind a write that failed would wait as long again for the same answer.
            behind, self._waiting, self._waiting_events = self._waiting, [], 0
            for ask in asks + behind:
                if not ask.receipts.done():
                    ask.receipts.set_exception(error)
            return
        written = [one for one in receipts if isinstance(one, Accepted)]
        if written:
            self.newest_id = written[-1].id
        answer = _answer_written if len(written) == len(receipts) else _answer_each
        left = iter(receipts)
        for ask in asks:
            own = list(islice(left, len(ask.documents)))
            if not ask.receipts.done():
                answer(ask, own)


def _answer_written(ask: _Ask, receipts: list[Any]) -> None:
    ask.receipts.set_result(receipts)


def _answer_each(ask: _Ask, receipts: list[Any]) -> None:
    """Of a write of which something failed."""
    failures = [one for one in receipts if isinstance(one, Exception)]
    if failures:
        ask.receipts.set_exception(_failure_of(failures, len(failures) < len(receipts)))
    else:
        ask.receipts.set_result(receipts)


def _failure_of(failures: Sequence[Exception], others_written: bool) -> Exception:
    """The error for a request of which some was not written: nothing was done only if that is true of all of it."""
    unknown = [failure for failure in failures if not isinstance(failure, StoreDeclined)]
    if unknown:
        return unknown[0]
    return StoreUnavailable(f"some of it was written, some was not: {failures[0]}") if others_written else failures[0]
