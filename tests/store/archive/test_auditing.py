"""The audit counts both sides of the border, and tells whatever is wrong with the archive."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from redis.asyncio import Redis

from dispatcher.errors import ArchiveUnavailable, StoreDamaged
from dispatcher.model.status import Status
from dispatcher.store.archive import trouble as trouble_module
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.archive.trouble import TroubleWatch, clear, note, trouble
from dispatcher.store.archive.upkeep.auditing import check_segments, recount_archive
from dispatcher.store.archive.upkeep.sweeping import sweep
from dispatcher.store.health.doctor.archive_check import examine_archive
from dispatcher.store.health.doctor.findings import Level
from dispatcher.store.keys import queue as keys
from tests.store.archive.history import RETENTION_MS, History, soon_ms
from tests.store.desk import HOME, PARTITIONS

ALL = range(PARTITIONS)


@pytest.fixture
async def moved(history: History) -> History:
    """Five events in one segment."""
    await history.end(*[Status.SUCCEEDED] * 5)
    assert await history.move() == 5
    return history


def segment_file(history: History) -> Path:
    (path,) = (Path(history.storage.words.label) / str(HOME)).iterdir()
    return path


async def test_what_moved_is_what_the_manifest_has_also_once_it_has_expired(
    moved: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = await recount_archive(moved.redis, ALL)
    assert (report.counted, report.events, report.segments, report.well) == (5, 5, 1, True)
    assert report.size == segment_file(moved).stat().st_size
    assert await check_segments(moved.archive, ALL) == {}
    monkeypatch.setattr(moved.archive, "now_ms", lambda: soon_ms() + RETENTION_MS)
    await sweep(moved.archive, HOME, moved.desk.generation)
    report = await recount_archive(moved.redis, ALL)
    assert (report.counted, report.events, report.well) == (0, 0, True)


async def test_a_manifest_that_lost_a_segment_is_told(moved: History) -> None:
    await moved.redis.delete(keys.segments(HOME))
    report = await recount_archive(moved.redis, ALL)
    assert (report.counted, report.events, report.well) == (5, 0, False)


async def test_a_file_that_is_altered_or_gone_is_told(moved: History) -> None:
    path = segment_file(moved)
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    (wrong,) = (await check_segments(moved.archive, ALL)).values()
    assert "cut or altered" in wrong
    path.unlink()
    (wrong,) = (await check_segments(moved.archive, ALL)).values()
    assert "lacks segment" in wrong
    path.write_bytes(content)
    assert await check_segments(moved.archive, ALL) == {}


async def test_an_event_on_both_sides_is_told(moved: History) -> None:
    event_id = (await moved.in_segments())[0]
    await moved.redis.hset(keys.event(HOME, event_id), "doc", "x")  # type: ignore[misc]
    assert (await check_segments(moved.archive, ALL)).keys() == {event_id}


async def test_the_doctor_says_where_the_history_is_and_when_it_cannot_be_read(
    moved: History, redis: Redis, tmp_path: Path
) -> None:
    found = await examine_archive(redis, moved.archive, PARTITIONS)
    assert (found.level, found.text.partition(" segments")[0]) == (Level.OK, "5 events in 1")
    unset = await examine_archive(redis, None, PARTITIONS)
    assert (unset.level, "DISPATCHER_ARCHIVE_DIR" in unset.text) == (Level.FAIL, True)
    elsewhere = await examine_archive(redis, Archive(redis, FileStorage(tmp_path / "x"), soon_ms), PARTITIONS)
    assert (elsewhere.level, "is its disk mounted" in elsewhere.text) == (Level.FAIL, True)
    segment_file(moved).unlink()
    missing = await examine_archive(redis, Archive(redis, moved.storage, soon_ms), PARTITIONS)
    assert (missing.level, "lacks segment" in missing.text) == (Level.FAIL, True)


async def test_a_store_without_an_archive_is_well(redis: Redis) -> None:
    assert (await examine_archive(redis, None, PARTITIONS)).level is Level.OK
    assert await trouble(None) is None


async def test_what_keeps_a_worker_from_archiving_is_known_to_all_until_it_can_again(moved: History) -> None:
    assert await trouble(moved.archive) is None
    await note(moved.redis, ArchiveUnavailable("the disk is full"), "host-1-abc")
    assert await trouble(moved.archive) == "the disk is full"
    await clear(moved.redis)
    assert await trouble(moved.archive) is None
    Path(moved.storage.words.label).rename(f"{moved.storage.words.label}-away")
    assert "is its disk mounted" in (await trouble(moved.archive) or "")


async def test_the_doctor_looks_at_what_is_set_now_and_warns_of_what_a_worker_saw(moved: History) -> None:
    error = ArchiveUnavailable("the archive s3://wrong cannot be used: there is no bucket; see `dispatcher doctor`")
    await note(moved.redis, error, "host-1-abc")
    check = await examine_archive(moved.redis, moved.archive, PARTITIONS)
    assert check.level is Level.WARN
    assert check.text.startswith(f"this process can use {moved.storage.words.label}, but worker host-1-abc could not")
    assert re.search(r" [0-9]+ s ago: the archive s3://wrong cannot be used: there is no bucket: is it ", check.text)
    segment_file(moved).unlink()
    check = await examine_archive(moved.redis, Archive(moved.redis, moved.storage, soon_ms), PARTITIONS)
    assert (check.level, "lacks segment" in check.text, "wrong" in check.text) == (Level.FAIL, True, False)


async def test_the_doctor_tries_a_folder_before_there_is_history_and_claims_nothing(
    redis: Redis, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "archive"
    archive = Archive(redis, FileStorage(folder), soon_ms)
    assert (await examine_archive(redis, archive, PARTITIONS)).level is Level.OK
    assert list(tmp_path.iterdir()) == []
    folder.mkdir(parents=True)
    assert (await examine_archive(redis, archive, PARTITIONS)).level is Level.OK
    assert list(folder.iterdir()) == []
    never = Archive(redis, FileStorage(Path("/proc/dispatcher-archive")), soon_ms)
    check = await examine_archive(redis, never, PARTITIONS)
    assert check.level is Level.FAIL
    assert "cannot be made (No such file or directory): correct DISPATCHER_ARCHIVE_DIR" in check.text


@pytest.mark.parametrize("how", ["another type", "no entry"])
async def test_a_manifest_that_is_damaged_by_hand_is_told(moved: History, how: str) -> None:
    if how == "another type":
        await moved.redis.set(keys.segments(HOME), "x")
    else:
        await moved.redis.hset(keys.segments(HOME), "x", "{}")  # type: ignore[misc]
    with pytest.raises(StoreDamaged, match="cannot be read"):
        await moved.archive.manifest.segments(ALL)
    assert len(await moved.archive.manifest.segments(ALL, complete=False)) in (0, 1)
    assert (await examine_archive(moved.redis, moved.archive, PARTITIONS)).level is Level.FAIL
    report = await recount_archive(moved.redis, ALL)
    assert (report.well, list(report.broken)) == (False, [keys.segments(HOME)])


async def test_who_asks_every_few_seconds_waits_for_no_storage_that_hangs(
    moved: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble_module, "LOOK_WITHIN_S", 0.05)
    answering, looks = threading.Event(), list[str]()

    class Slow(FileStorage):
        def identity(self) -> str | None:
            looks.append("look")
            answering.wait(30)
            return super().identity()

    steps = [0.0]
    archive = Archive(moved.redis, Slow(Path(moved.storage.words.label)), soon_ms)
    watch = TroubleWatch(archive, lambda: steps[0])
    for _ in range(2):
        assert "does not answer within" in (await watch.now() or "")
    assert len(looks) <= 1, "a look that was given up before its thread began is none"
    answering.set()
    monkeypatch.setattr(trouble_module, "LOOK_WITHIN_S", 30.0)
    steps[0] += trouble_module.LOOK_EVERY_S
    assert await watch.now() is None
