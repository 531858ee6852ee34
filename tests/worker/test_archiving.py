"""A worker archives what its partitions have, one after the other, and goes on when the archive is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from dispatcher.errors import ArchiveUnavailable
from dispatcher.model.status import Status
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.archive.trouble import note, noted
from dispatcher.store.archive.upkeep import collecting, writing
from tests.store.archive.history import History
from tests.store.desk import HOME
from worker.archiving import AWAY_S, IDLE_S, SWEEP_S, Archiving
from worker.partition.owned_partition import OwnedPartition


class Steps:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def history(redis: Redis, tmp_path: Path) -> History:
    return await History(redis, FileStorage(tmp_path / "archive")).open()


def archiving_of(history: History, clock: Steps, storage: FileStorage | None = None) -> Archiving:
    owned = {
        number: OwnedPartition(number, generation, 0.0)
        for number, generation in history.desk.worker.generations.items()
    }
    return Archiving(history.writer(storage), lambda: owned, clock, "host-1-abc")


async def test_each_partition_has_its_turn_and_rests_when_nothing_is_left(history: History) -> None:
    clock = Steps()
    archiving = archiving_of(history, clock)
    ids = await history.end(*[Status.SUCCEEDED] * 3)
    await archiving.once()
    assert await history.in_segments() == sorted(ids)
    more = await history.end(Status.SUCCEEDED)
    await archiving.once()
    assert await history.in_redis() == more
    clock.now_s = max(IDLE_S, SWEEP_S) + 1
    await archiving.once()
    assert await history.in_redis() == []
    await history.assert_each_once([*ids, *more])


async def test_a_backlog_is_archived_in_several_steps_while_nothing_is_delivered(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "WALKED", 2)
    monkeypatch.setattr(writing, "WALKED", 2)
    ids = await history.end(*[Status.SUCCEEDED] * 7)
    await archiving_of(history, Steps()).once()
    await history.assert_each_once(ids)
    assert await history.in_redis() == []
    assert len(await history.archive.manifest.segments([HOME])) == 4


async def test_an_archive_that_is_away_costs_nothing_but_the_turn(history: History) -> None:
    clock, ids = Steps(), await history.end(Status.SUCCEEDED)

    class Away(FileStorage):
        def write(self, key: str, content: bytes) -> None:
            raise OSError(5, "Input/output error")

    archiving = archiving_of(history, clock, Away(Path(history.storage.words.label)))
    with capture_logs() as logs:
        await archiving.once()
    (told,) = [one for one in logs if one["log_level"] == "warning"]
    assert (told["event"], told["retry_in_s"], "Input/output" in told["error"]) == ("archive away", AWAY_S, True)
    seen = await noted(history.redis)
    assert seen
    assert (seen.words, seen.by) == (told["error"], "host-1-abc")
    await history.assert_each_once(ids)
    waiting = await history.desk.emit("A")
    assert await history.desk.ids() == [waiting]
    assert await history.desk.settle(waiting, Status.SUCCEEDED) == 1


async def test_an_archive_that_is_away_is_tried_again_by_one_partition_after_the_time_that_was_told(
    history: History,
) -> None:
    clock, tries = Steps(), list[float]()

    class Away(FileStorage):
        def identity(self) -> str | None:
            tries.append(clock.now_s)
            raise OSError(5, "Input/output error")

    archiving = archiving_of(history, clock, Away(Path(history.storage.words.label)))
    with capture_logs() as logs:
        for clock.now_s in (0.0, 1.0, 2.0, AWAY_S - 1, AWAY_S, AWAY_S + 1):
            await archiving.once()
    assert tries == [0.0, AWAY_S]
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["archive away"] * 2


async def test_what_a_worker_noted_before_it_was_started_again_ends_with_the_first_success(history: History) -> None:
    await note(history.redis, ArchiveUnavailable("there is no bucket"), "host-1-before")
    await archiving_of(history, Steps()).once()
    assert await noted(history.redis) is None


async def test_nothing_is_asked_of_a_process_that_owns_nothing(redis: Redis, tmp_path: Path) -> None:
    await archiving_of(History(redis, FileStorage(tmp_path / "none")), Steps()).once()
    assert not (tmp_path / "none").exists()
