"""A worker archives what its partitions have, one after the other, and goes on when the archive is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from dispatcher.errors import ArchiveUnavailable
from dispatcher.model.status import Status
from dispatcher.store.archive import collecting, writing
from dispatcher.store.archive.files import FileStorage
from tests.store.archive.history import History
from tests.store.desk import HOME
from worker.archiving import IDLE_S, SWEEP_S, Archiving
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
    return Archiving(history.writer(storage), lambda: owned, clock)


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
    with pytest.raises(ArchiveUnavailable, match="Input/output error"):
        await archiving.once()
    await archiving.once()
    await history.assert_each_once(ids)
    waiting = await history.desk.emit("A")
    assert await history.desk.ids() == [waiting]
    assert await history.desk.settle(waiting, Status.SUCCEEDED) == 1


async def test_nothing_is_asked_of_a_process_that_owns_nothing(redis: Redis, tmp_path: Path) -> None:
    await archiving_of(History(redis, FileStorage(tmp_path / "none")), Steps()).once()
    assert not (tmp_path / "none").exists()
