"""Reads the feeds of all partitions once for everybody in this process who follows them, while anybody does.

What was read lately is kept, so that whoever goes on from there asks Redis nothing; whoever comes from further back, or
falls behind, reads by itself until it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator

from dispatcher.errors import StoreUnavailable
from dispatcher.model.queue import Change
from dispatcher.model.status import TERMINAL
from dispatcher.store.queue.watching.feed import (
    Entry,
    Position,
    changes_of,
    newest,
    positions_in,
    read_after,
    read_changes,
)
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client

POLL_S = 0.1
AT_ONCE = 500
"""Changes of one partition that one look reads."""
KEPT = 1000
"""Newest changes of one partition that are kept."""

_ENDED = frozenset(status.value for status in TERMINAL)


class ChangeFeed:
    """One per process."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = range(partitions)
        self._listeners = 0
        self._starting = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._heads: list[Position] = []
        self._floors: list[Position] = []
        """Of each partition, everything behind this and up to its head is kept."""
        self._kept: list[deque[Entry]] = []
        self._fresh = asyncio.Event()
        self._ends: dict[str, set[asyncio.Event]] = {}
        self.looks = 0
        """Number of times that the one reader asked Redis."""

    @property
    def followers(self) -> int:
        return self._listeners

    @property
    def is_read(self) -> bool:
        return self._reader is not None

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Within, nothing that happens from now on is missed. Raises ``StoreUnavailable``."""
        self._listeners += 1
        try:
            async with self._starting:
                if self._reader is None:
                    await self._start()
            yield
        finally:
            self._listeners -= 1
            if not self._listeners and self._reader is not None:
                self._reader.cancel()
                self._reader = None

    @contextlib.contextmanager
    def ending(self, event_id: str) -> Iterator[asyncio.Event]:
        """Set when a change of the event is seen after which it is terminal."""
        ended = asyncio.Event()
        self._ends.setdefault(event_id, set()).add(ended)
        try:
            yield ended
        finally:
            waiting = self._ends[event_id]
            waiting.discard(ended)
            if not waiting:
                del self._ends[event_id]

    def news(self) -> asyncio.Event:
        """Set when changes are read after this."""
        return self._fresh

    async def changes(self, after_id: str, limit: int) -> list[Change]:
        """Changes after ``after_id``, oldest first. Raises ``InvalidRequest`` (invalid_cursor)."""
        positions = positions_in(after_id, len(self._partitions))
        if not self._reaches_back_to(positions):
            with guarded():
                return await read_changes(self._client, self._partitions, after_id, limit)
        rows = [
            (partition, entry)
            for partition, position in enumerate(positions)
            if position < self._heads[partition]
            for entry in _behind(self._kept[partition], position)
        ]
        return changes_of(rows, positions, limit)

    def _reaches_back_to(self, positions: list[Position]) -> bool:
        known = self._reader is not None
        return known and all(at >= floor for at, floor in zip(positions, self._floors, strict=True))

    async def _start(self) -> None:
        with guarded():
            now = positions_in(await newest(self._client, self._partitions), len(self._partitions))
        self._heads, self._floors = list(now), list(now)
        self._kept = [deque() for _ in self._partitions]
        self._reader = asyncio.create_task(self._read_on(), name="change-feed")

    async def _read_on(self) -> None:
        while True:
            full = False
            with contextlib.suppress(StoreUnavailable):
                full = await self._look()
            if not full:
                await asyncio.sleep(POLL_S)

    async def _look(self) -> bool:
        """Read once what is new of all partitions; true when there is more."""
        with guarded():
            found = await read_after(self._client, self._heads, AT_ONCE)
        self.looks += 1
        for partition, entries in enumerate(found):
            if entries:
                self._keep(partition, entries)
                self._tell_ended(entries)
        if any(found):
            fresh, self._fresh = self._fresh, asyncio.Event()
            fresh.set()
        return any(len(entries) >= AT_ONCE for entries in found)

    def _keep(self, partition: int, entries: list[Entry]) -> None:
        kept = self._kept[partition]
        kept.extend(entries)
        self._heads[partition] = entries[-1].position
        while len(kept) > KEPT:
            self._floors[partition] = kept.popleft().position

    def _tell_ended(self, entries: list[Entry]) -> None:
        if not self._ends:
            return
        for entry in entries:
            if entry.status in _ENDED:
                for ended in self._ends.get(entry.event_id, ()):
                    ended.set()


def _behind(kept: deque[Entry], position: Position) -> Iterator[Entry]:
    """Newest first."""
    for entry in reversed(kept):
        if entry.position <= position:
            return
        yield entry
