"""A store whose events move to an archive at a test's word. Holds no test."""

from __future__ import annotations

import time
from collections import Counter
from typing import ClassVar

from redis.asyncio import Redis

from dispatcher.clock import DAY_MS
from dispatcher.model.status import Status
from dispatcher.store import keys
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.storage import Storage
from dispatcher.store.archive.writing import ArchiveWriter
from tests.store.desk import HOME, PARTITIONS, Desk

RETENTION_MS = 30 * DAY_MS


def soon_ms() -> int:
    """A moment after everything that the test did."""
    return int(time.time() * 1000) + 60_000


class History:
    """Both sides of the border of one partition."""

    OPENED: ClassVar[list[Archive]] = []

    def __init__(self, redis: Redis, storage: Storage) -> None:
        self.redis = redis
        self.storage = storage
        self.desk = Desk(redis, retention_ms=RETENTION_MS)
        self.archive = self.opened(storage)

    async def open(self) -> History:
        await self.desk.open()
        return self

    def opened(self, storage: Storage) -> Archive:
        archive = Archive(self.redis, storage, soon_ms)
        self.OPENED.append(archive)
        return archive

    def writer(self, storage: Storage | None = None) -> ArchiveWriter:
        """As another process has one, which remembers nothing."""
        archive = self.opened(storage) if storage else self.archive
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
        return (await self.writer().step(HOME, self.desk.generation)).archived

    async def in_redis(self) -> list[str]:
        prefix = keys.event(HOME, "")
        return sorted([key.decode().removeprefix(prefix) async for key in self.redis.scan_iter(f"{prefix}*")])

    async def in_segments(self) -> list[str]:
        segments = await self.archive.manifest.segments([HOME])
        return sorted(event.id for segment in segments for event in self.archive.reader.events(segment))

    async def assert_each_once(self, ids: list[str]) -> None:
        """Every event is on one side of the border, and nothing is on both."""
        assert Counter([*await self.in_redis(), *await self.in_segments()]) == Counter(ids)
        await self.desk.assert_well()
