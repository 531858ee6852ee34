"""History in object storage keeps every promise that it keeps in a folder; while that is away, events stay in Redis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from dispatcher.errors import ArchiveUnavailable
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.store.archive.storage import objects
from dispatcher.store.archive.storage.objects import ObjectStorage
from dispatcher.store.archive.trouble import trouble
from dispatcher.store.archive.upkeep.auditing import check_segments, recount_archive
from dispatcher.store.archive.upkeep.sweeping import sweep
from dispatcher.store.health.doctor.archive_check import examine_archive
from dispatcher.store.health.doctor.findings import Level
from tests.object_storage import Fault, ObjectServer, object_server
from tests.store.archive.history import History
from tests.store.desk import HOME, PARTITIONS

ALL = range(PARTITIONS)
SOME = [Status.SUCCEEDED] * 5


class Killed(BaseException):
    """The process is gone at this step."""


class StopsBeforeWriting(ObjectStorage):
    def write(self, key: str, content: bytes) -> None:
        raise Killed


class StopsWhenWritten(ObjectStorage):
    def write(self, key: str, content: bytes) -> None:
        super().write(key, content)
        raise Killed


class StopsWhenReadBack(ObjectStorage):
    def read(self, key: str, at: int, size: int) -> bytes:
        super().read(key, at, size)
        raise Killed


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    monkeypatch.setattr(objects, "_FIRST_WAIT", timedelta(milliseconds=2))
    with object_server(monkeypatch) as made:
        yield made


@pytest.fixture
async def history(redis: Redis, server: ObjectServer) -> History:
    return await History(redis, ObjectStorage(server.bucket())).open()


async def test_what_moved_is_read_listed_expunged_and_audited(history: History, server: ObjectServer) -> None:
    ids = await history.end(*SOME)
    before = await history.queue.page(EventFilter(), None, 100)
    assert await history.move() == 5
    await history.assert_each_once(ids)
    assert (await history.queue.page(EventFilter(), None, 100)).items == before.items
    replaced = server.named(next(one.key for one in await history.archive.manifest.segments(ALL)))
    stored = await history.queue.get(ids[1])
    assert stored
    assert (await history.queue.expunge(stored.event)).state.expunged_ms
    after = await history.queue.get(ids[1])
    assert after
    assert (after.event.payload, after.state.expunged_ms is None) == (None, False)
    assert replaced not in server.objects
    assert (await recount_archive(history.redis, ALL)).well
    assert await check_segments(history.archive, ALL) == {}
    assert (await examine_archive(history.redis, history.archive, PARTITIONS)).level is Level.OK


@pytest.mark.parametrize("storage", [StopsBeforeWriting, StopsWhenWritten, StopsWhenReadBack])
async def test_a_writer_that_is_killed_loses_nothing_and_doubles_nothing(
    history: History, server: ObjectServer, storage: type[ObjectStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await history.end(*SOME)
    with pytest.raises(Killed):
        await history.writer(storage(server.bucket())).step(HOME, history.desk.generation)
    await history.assert_each_once(ids)
    assert await history.move() == 5
    await history.assert_each_once(ids)
    monkeypatch.setattr("dispatcher.store.archive.upkeep.sweeping.ORPHAN_S", -3600.0)
    await sweep(history.archive, HOME, history.desk.generation)
    named = {f"main/{one.key}" for one in await history.archive.manifest.segments(ALL)}
    assert server.objects.keys() == {*named, "main/archive.id"}
    await history.assert_each_once(ids)


@pytest.mark.parametrize(
    ("fault", "told"),
    [(Fault(503, "SlowDown"), "asked less often"), (Fault(403, "AccessDenied"), "denied"), (Fault(0), "not answer")],
)
async def test_storage_that_refuses_keeps_events_in_redis_and_says_why(
    history: History, server: ObjectServer, fault: Fault, told: str
) -> None:
    first = await history.end(*SOME)
    assert await history.move() == 5
    second = await history.end(*SOME)
    server.fault = lambda *_: fault
    with pytest.raises(ArchiveUnavailable, match=told):
        await history.move()
    assert await history.in_redis() == sorted(second)
    assert told in (await trouble(history.archive) or "")
    check = await examine_archive(history.redis, history.archive, PARTITIONS)
    assert (check.level, told in check.text, "dispatcher doctor" in check.text) == (Level.FAIL, True, False)
    with pytest.raises(ArchiveUnavailable, match=told):
        await history.archive.find(first)
    server.fault = lambda *_: None
    assert await history.move() == 5
    await history.assert_each_once([*first, *second])


async def test_an_object_that_is_altered_or_gone_is_told(history: History, server: ObjectServer) -> None:
    ids = await history.end(*SOME)
    await history.move()
    (segment,) = await history.archive.manifest.segments(ALL)
    name = server.named(segment.key)
    content = server.objects[name]
    server.objects[name] = bytes([*content[:20], content[20] ^ 1, *content[21:]])
    (wrong,) = (await check_segments(history.archive, ALL)).values()
    assert "cut or altered" in wrong
    del server.objects[name]
    (wrong,) = (await check_segments(history.archive, ALL)).values()
    assert "is it the right bucket and prefix?" in wrong
    server.objects[name] = content
    await history.assert_each_once(ids)


async def test_a_bucket_of_another_store_is_not_written_to(history: History, server: ObjectServer) -> None:
    ids = await history.end(*SOME)
    other = ObjectStorage(server.bucket("other"))
    other.identify("another")
    await history.move()
    more = await history.end(*SOME)
    with pytest.raises(ArchiveUnavailable, match="belongs to another store than this one: correct DISPATCHER_ARCHIVE"):
        await history.writer(other).step(HOME, history.desk.generation)
    with pytest.raises(ArchiveUnavailable, match="is it the right bucket and prefix"):
        await history.writer(ObjectStorage(server.bucket("empty"))).step(HOME, history.desk.generation)
    await history.assert_each_once([*ids, *more])
