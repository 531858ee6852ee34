"""Events that ended long ago move to a segment, all of it or nothing; nothing is lost and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from redis.asyncio import Redis

from dispatcher.errors import ArchiveUnavailable
from dispatcher.model.status import COMPLETE, FAILURES, Status
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Segment
from dispatcher.store.archive.manifest import Manifest
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.archive.upkeep import collecting
from dispatcher.store.archive.upkeep.collecting import is_open_text
from dispatcher.store.archive.upkeep.sweeping import sweep
from dispatcher.store.archive.upkeep.writing import Step
from dispatcher.store.keys import queue as keys
from dispatcher.store.secrets.sealing import Sealer, new_key
from tests.events import event_of
from tests.store.archive.history import RETENTION_MS, History, soon_ms
from tests.store.desk import HOME, LANE, PARTITIONS

SOME = [Status.SUCCEEDED] * 5


class Killed(BaseException):
    """The process is gone at this step."""


class StopsBeforeWriting(FileStorage):
    def write(self, key: str, content: bytes) -> None:
        raise Killed


class StopsWhileWriting(FileStorage):
    def write(self, key: str, content: bytes) -> None:
        beside = Path(self.words.label) / f"{HOME}/.half"
        beside.parent.mkdir(exist_ok=True)
        beside.write_bytes(content[:10])
        raise Killed


class StopsWhenWritten(FileStorage):
    def write(self, key: str, content: bytes) -> None:
        super().write(key, content)
        raise Killed


class StopsWhenReadBack(FileStorage):
    def read(self, key: str, at: int, size: int) -> bytes:
        super().read(key, at, size)
        raise Killed


STOPS = [StopsBeforeWriting, StopsWhileWriting, StopsWhenWritten, StopsWhenReadBack]


async def test_what_ended_well_moves_and_all_else_stays(history: History) -> None:
    ended = sorted(COMPLETE | FAILURES)
    ids = await history.end(*ended)
    waiting = await history.desk.emit("A")
    assert await history.move() == len(COMPLETE)
    await history.assert_each_once([*ids, waiting])
    well = [one for one, status in zip(ids, ended, strict=True) if status in COMPLETE]
    assert await history.in_segments() == sorted(well)
    assert await history.redis.xlen(keys.event_log(HOME)) == len(FAILURES) + 1
    assert await history.move() == 0


async def test_a_segment_has_every_field_as_redis_had_it(history: History) -> None:
    (event_id,) = await history.end(Status.SUCCEEDED)
    await history.redis.hset(keys.event(HOME, event_id), "a1", '{"t":1,"o":"SUCCEEDED"}')  # type: ignore[misc]
    fields = await history.redis.hgetall(keys.event(HOME, event_id))  # type: ignore[misc]
    await history.move()
    (found,) = (await history.archive.find([event_id])).values()
    assert {name.encode(): value for name, value in found.fields.items()} == fields
    assert 0 < found.expires_ms - soon_ms() <= RETENTION_MS


@pytest.mark.parametrize("storage", STOPS)
async def test_a_writer_that_is_killed_loses_nothing_and_doubles_nothing(
    history: History, storage: type[FileStorage]
) -> None:
    ids = await history.end(*SOME)
    with pytest.raises(Killed):
        await history.writer(storage(Path(history.storage.words.label))).step(HOME, history.desk.generation)
    assert await history.in_redis() == sorted(ids)
    await history.assert_each_once(ids)
    assert await history.move() == len(ids)
    await history.assert_each_once(ids)


async def test_a_reply_that_is_lost_loses_nothing_and_doubles_nothing(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, move = await history.end(*SOME), Manifest.move

    async def unheard(self: Manifest, generation: int, segment: Segment, events: Sequence[ArchivedEvent]) -> None:
        await move(self, generation, segment, events)
        raise Killed

    monkeypatch.setattr(Manifest, "move", unheard)
    with pytest.raises(Killed):
        await history.move()
    monkeypatch.undo()
    await history.assert_each_once(ids)
    assert await history.in_segments() == sorted(ids)
    segment = (await history.archive.manifest.segments([HOME]))[0]
    events = history.archive.reader.events(segment)
    assert await history.archive.manifest.move(history.desk.generation, segment, events) == []
    await history.assert_each_once(ids)


async def test_nothing_counts_under_an_older_generation(history: History) -> None:
    ids = await history.end(*SOME)
    assert (await history.writer().step(HOME, history.desk.generation - 1)).archived == 0
    assert await history.in_redis() == sorted(ids)
    await history.assert_each_once(ids)


async def test_one_event_that_changes_meanwhile_keeps_all_of_them_back(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, move = await history.end(*SOME), Manifest.move

    async def late(
        self: Manifest, generation: int, segment: Segment, events: Sequence[ArchivedEvent]
    ) -> list[str] | None:
        await history.redis.hset(keys.event(HOME, ids[2]), "a7", "{}")  # type: ignore[misc]
        return await move(self, generation, segment, events)

    monkeypatch.setattr(Manifest, "move", late)
    assert await history.move() == 0
    monkeypatch.undo()
    await history.assert_each_once(ids)
    assert await history.move() == len(ids)
    await history.assert_each_once(ids)


async def test_nothing_sealed_is_archived(history: History) -> None:
    sealed = Sealer([new_key()]).seal("s", "context")
    event = event_of(LANE, PARTITIONS, None, payload={"password": sealed})
    await history.desk.queue.accept([event])
    await history.desk.ids()
    await history.desk.settle(event.id, Status.SUCCEEDED)
    assert await history.move() == 0
    assert await history.in_redis() == [event.id]
    assert not is_open_text({"state": f'{{"m":"{sealed}"}}'.encode()})


async def test_few_events_wait_for_others_to_share_a_segment_with(history: History) -> None:
    ids = await history.end(*SOME)
    writer = history.writer()
    writer._gather_ms = 3_600_000
    assert (await writer.step(HOME, history.desk.generation)).archived == 0
    assert await history.in_redis() == sorted(ids)


async def test_large_events_share_a_segment_with_few_others(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "SEGMENT_BYTES", 20_000)
    monkeypatch.setattr(collecting, "FIRST", 2)
    events = [event_of(LANE, PARTITIONS, None, payload={"text": "x" * 5_000}) for _ in range(9)]
    await history.desk.queue.accept(events)
    assert len(await history.desk.ids()) == 9
    for event in events:
        await history.desk.settle(event.id, Status.SUCCEEDED)
    writer, archived = history.writer(), list[int]()
    step = Step(more=True)
    while step.more:
        step = await writer.step(HOME, history.desk.generation)
        archived.append(step.archived)
    await history.assert_each_once([event.id for event in events])
    assert max(archived) <= 4


async def test_a_full_disk_keeps_events_in_redis(history: History) -> None:
    ids = await history.end(*SOME)

    class Full(FileStorage):
        def write(self, key: str, content: bytes) -> None:
            raise OSError(28, "No space left on device")

    with pytest.raises(ArchiveUnavailable, match="No space left on device"):
        await history.writer(Full(Path(history.storage.words.label))).step(HOME, history.desk.generation)
    await history.assert_each_once(ids)


async def test_a_folder_that_is_not_the_one_with_the_history_is_not_written_to(
    history: History, tmp_path: Path, redis: Redis
) -> None:
    first, second = await history.end(*SOME), SOME
    await history.move()
    second_ids = await history.end(*second)
    unmounted = history.writer(FileStorage(tmp_path / "unmounted"))
    with pytest.raises(ArchiveUnavailable, match="is its disk mounted"):
        await unmounted.step(HOME, history.desk.generation)
    other = FileStorage(tmp_path / "other")
    other.identify("another")
    with pytest.raises(ArchiveUnavailable, match="belongs to another store"):
        await history.writer(other).step(HOME, history.desk.generation)
    await history.assert_each_once([*first, *second_ids])
    await redis.flushall()
    with pytest.raises(ArchiveUnavailable, match="belongs to another store"):
        await history.writer().step(HOME, 1)


async def test_a_sweep_deletes_old_orphans_and_what_the_manifest_has_not_replaced_stays(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await history.end(*SOME)
    await history.move()
    folder = Path(history.storage.words.label) / str(HOME)
    (kept,) = (one.name for one in folder.iterdir())
    (folder / ".half").write_bytes(b"x")
    await sweep(history.archive, HOME, history.desk.generation)
    assert {one.name for one in folder.iterdir()} == {kept, ".half"}
    monkeypatch.setattr("dispatcher.store.archive.upkeep.sweeping.ORPHAN_S", -3600.0)
    await sweep(history.archive, HOME, history.desk.generation)
    assert {one.name for one in folder.iterdir()} == {kept}
    await history.assert_each_once(ids)


async def test_a_segment_whose_retention_has_ended_is_dropped_with_its_file(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await history.end(*SOME)
    await history.move()
    monkeypatch.setattr(history.archive, "now_ms", lambda: soon_ms() + RETENTION_MS)
    assert await history.archive.find(ids) == {}
    await sweep(history.archive, HOME, history.desk.generation - 1)
    assert await history.in_segments() == sorted(ids)
    await sweep(history.archive, HOME, history.desk.generation)
    assert await history.in_segments() == []
    assert history.storage.ages_s(HOME, 0.0) == {}
    await history.desk.assert_well()
