"""Definitions kept in memory: what accepting and delivering read for every event.

A peek costs well under a microsecond and never waits. Whatever changes is dropped when Redis says so,
at once when this process wrote it, and in any case after ``MAX_AGE_S``. Never remembers that something
does not exist; never writes.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self, TypeVar

from redis.asyncio import Redis

from dispatcher.model.integration import WORKING, Integration, Product, Revision
from dispatcher.store.definitions.cache.changes import follow
from dispatcher.store.definitions.cache.expiring import ExpiringCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.pins import keep_working
from dispatcher.store.definitions.products import product_message
from dispatcher.store.definitions.reads import Loaded, RevisionId

CAPACITY = 20_000
"""Entries of each kind that are kept."""
MAX_AGE_S = 30.0
"""Time that a changeable entry is believed without an announcement."""
PINNED_S = 3600.0
"""Time after which the use of a WORKING version is noted again."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(eq=False, slots=True)
class _Dropped:
    """Entries that became stale while one read was under way, and must not be kept from it."""

    messages: set[str] = field(default_factory=set)
    everything: bool = False

    def allows(self, message: str) -> bool:
        return not self.everything and message not in self.messages


class Observer(Protocol):
    """A cache of what is announced on the same channel."""

    def invalidate(self, message: str) -> None: ...

    def clear(self) -> None: ...


@dataclass(eq=False, frozen=True, slots=True)
class _Hearer:
    """Somebody who only listens."""

    hear: Callable[[str], None]

    def invalidate(self, message: str) -> None:
        self.hear(message)

    def clear(self) -> None:
        self.hear("")


class DefinitionCache:
    """``async with DefinitionCache(definitions, redis) as cache``: listens for changes while open."""

    def __init__(
        self,
        definitions: Definitions,
        redis: Redis,
        *,
        capacity: int = CAPACITY,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._definitions = definitions
        self._redis = redis
        self._integrations: ExpiringCache[str, Integration] = ExpiringCache(capacity, MAX_AGE_S, now)
        self._products: ExpiringCache[str, Product] = ExpiringCache(capacity, MAX_AGE_S, now)
        self._revisions: ExpiringCache[RevisionId, Revision] = ExpiringCache(capacity, float("inf"), now)
        self._reads: set[_Dropped] = set()
        self._pinned: ExpiringCache[tuple[str, int], bool] = ExpiringCache(capacity, PINNED_S, now)
        self._observers: list[Observer] = []
        self._open = contextlib.ExitStack()
        self._follower: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._open.callback(self._definitions.listen(self.invalidate))
        self._follower = asyncio.create_task(
            follow(self._redis, self.invalidate, self.clear), name="definition-changes"
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        if self._follower is not None:
            self._follower.cancel()
            await asyncio.wait([self._follower])
        self.clear()

    def observe(self, observer: Observer) -> None:
        """Tell another cache of whatever this one is told."""
        self._observers.append(observer)

    @contextlib.contextmanager
    def heard(self, hear: Callable[[str], None]) -> Iterator[None]:
        """While open, call ``hear`` with each announcement, and with '' when one may have been missed."""
        hearer = _Hearer(hear)
        self._observers.append(hearer)
        try:
            yield
        finally:
            self._observers.remove(hearer)

    def peek_integration(self, integration_id: str) -> Integration | None:
        """The integration of that UUID, if it is at hand."""
        return self._integrations.get(integration_id)

    def peek_revision(self, integration_id: str, number: int) -> Revision | None:
        """The revision, if it is at hand; 0 is WORKING."""
        if number == WORKING:
            integration = self._integrations.get(integration_id)
            return integration.working if integration is not None else None
        return self._revisions.get((integration_id, number))

    def peek_product(self, product_id: str) -> Product | None:
        return self._products.get(product_id)

    async def integration(self, any_id: str) -> Integration | None:
        """By any of its ids; only a lookup by UUID is answered from memory."""
        known = self._integrations.get(any_id)
        if known is not None:
            return known
        with self._reading() as dropped:
            found = await self._definitions.integration(any_id)
            if found is not None and dropped.allows(found.id):
                return self._integrations.put(found.id, found)
        return found

    async def revision(self, integration_id: str, number: int) -> Revision | None:
        return (await self.load(revisions=[(integration_id, number)])).revisions.get((integration_id, number))

    async def product(self, product_id: str) -> Product | None:
        return (await self.load(products=[product_id])).products.get(product_id)

    async def load(
        self,
        integrations: Iterable[str] = (),
        revisions: Iterable[RevisionId] = (),
        products: Iterable[str] = (),
    ) -> Loaded:
        """All that exists of what is named, by UUID; whatever is not at hand comes in one round trip.

        Use the answer rather than a peek afterwards: an entry may be dropped again at any moment.
        """
        pinned = set(revisions)
        working = {lane for lane, number in pinned if number == WORKING}
        lanes, lanes_missing = _split(self._integrations, {*integrations, *working})
        numbers, numbers_missing = _split(self._revisions, {one for one in pinned if one[1] != WORKING})
        names, names_missing = _split(self._products, set(products))
        broken: frozenset[str] = frozenset()
        if lanes_missing or numbers_missing or names_missing:
            fetched = await self._fetch(lanes_missing, numbers_missing, names_missing)
            lanes |= fetched.integrations
            numbers |= fetched.revisions
            names |= fetched.products
            broken = fetched.broken
        numbers |= {(lane, WORKING): lanes[lane].working for lane in working if lane in lanes}
        return Loaded(lanes, numbers, names, broken)

    async def pin_working(self, integration: Integration) -> int:
        """Keep its WORKING version for what is accepted with it (noted once an hour); returns when it was saved."""
        if self._pinned.get(pin := (integration.id, integration.modified_ms)) is None:
            await keep_working(self._redis, integration)
            self._pinned.put(pin, True)
        return integration.modified_ms

    def invalidate(self, message: str) -> None:
        """Forget an integration (its UUID) or a product (``product:ID``)."""
        kind, _, product_id = message.partition(":")
        if kind == "product":
            self._products.drop(product_id)
        else:
            self._integrations.drop(message)
        for read in self._reads:
            read.messages.add(message)
        for observer in self._observers:
            observer.invalidate(message)

    def clear(self) -> None:
        """Forget everything, published revisions included."""
        self._integrations.clear()
        self._revisions.clear()
        self._products.clear()
        for read in self._reads:
            read.everything = True
        for observer in self._observers:
            observer.clear()

    async def _fetch(self, lanes: list[str], numbers: list[RevisionId], names: list[str]) -> Loaded:
        with self._reading() as dropped:
            fetched = await self._definitions.fetch(lanes, numbers, names)
            for lane, integration in fetched.integrations.items():
                if dropped.allows(lane):
                    fetched.integrations[lane] = self._integrations.put(lane, integration)
            for name, product in fetched.products.items():
                if dropped.allows(product_message(name)):
                    fetched.products[name] = self._products.put(name, product)
            for number, revision in fetched.revisions.items():
                if not dropped.everything:
                    fetched.revisions[number] = self._revisions.put(number, revision)
        return fetched

    @contextlib.contextmanager
    def _reading(self) -> Iterator[_Dropped]:
        dropped = _Dropped()
        self._reads.add(dropped)
        try:
            yield dropped
        finally:
            self._reads.discard(dropped)


def _split(cache: ExpiringCache[K, V], wanted: set[K]) -> tuple[dict[K, V], list[K]]:
    """Values that are at hand, and keys of those that are not."""
    known = {key: value for key in wanted if (value := cache.get(key)) is not None}
    return known, [key for key in wanted if key not in known]
