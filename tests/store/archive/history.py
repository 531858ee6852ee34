"""A store whose events move to an archive at a test's word. Holds no test."""

from __future__ import annotations

import time
from collections import Counter

from redis.asyncio import Redis

from dispatcher.clock import DAY_MS
from dispatcher.model.status import Status
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.storage.interface import Storage
from dispatcher.store.archive.upkeep.writing import ArchiveWriter
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.events import QueueStore
from tests.store.desk import PARTITIONS, Desk

RETENTION_MS = 30 * DAY_MS


def soon_ms() -> int:
    """A moment after everything that the test did."""
    return int(time.time() * 1000) + 60_000


class History:
    """Both sides of the border of one partition."""

    def __init__(self, redis: Redis, storage: Storage) -> None:
        self.redis = redis
        self.storage = storage
        self.desk = Desk(redis, retention_ms=RETENTION_MS)
        self.archive = Archive(self.redis, storage, soon_ms)
        self.queue = QueueStore(redis, partitions=PARTITIONS, retention_ms=RETENTION_MS, archive=self.archive)

    async def open(self) -> History:
        await self.desk.open()
        return self

    def writer(self, storage: Storage | None = None) -> ArchiveWriter:
        """As another process has one, which remembers nothing."""
        archive = Archive(self.redis, storage, soon_ms) if storage else self.archive
        return ArchiveWriter(archive, partitions=PARTITIONS, after_ms=0, gather_ms=0)

    async def end(self, *statuses: Status) -> list[str]:
        """Events that have ended so, oldest first; none orders them."""
        ids = [await self.desk.emit(None) for _ in statuses]
        assert len(await self.desk.ids()) == len(ids)
        for event_id, status in zip(ids, statuses, strict=True):
            await self.desk.settle(event_id, status)
        return ids

    async def move(self) -> int:
        """Archive all that can be; the number of events."""
        generations = self.desk.worker.generations.items()
        return sum([(await self.writer().step(number, generation)).archived for number, generation in generations])

    async def in_redis(self) -> list[str]:
        events = [key.decode() async for key in self.redis.scan_iter(keys.event(0, "*").replace("0", "*"))]
        return sorted(key.rpartition(":")[2] for key in events)

    async def in_segments(self) -> list[str]:
        segments = await self.archive.manifest.segments(range(PARTITIONS))
        return sorted(event.id for segment in segments for event in self.archive.reader.events(segment))

    async def assert_each_once(self, ids: list[str]) -> None:
        """Every event is on one side of the border, and nothing is on both."""
        assert Counter([*await self.in_redis(), *await self.in_segments()]) == Counter(ids)
        await self.desk.assert_well()
