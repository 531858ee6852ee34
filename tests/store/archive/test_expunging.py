"""Content that is expunged leaves the archive, also where that was stopped halfway."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.errors import ArchiveUnavailable
from dispatcher.model.status import Status
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.archive.upkeep.sweeping import sweep
from dispatcher.store.keys import queue as keys
from tests.store.archive.mixed import OK, Mixed
from tests.store.desk import HOME


async def test_an_expunged_event_has_no_content_left_on_disk(mixed: Mixed, tmp_path: Path) -> None:
    history, queue = mixed.history, mixed.history.queue
    await history.move()
    before = [await queue.get(one) for one in mixed.ids]
    files = set((tmp_path / "archive" / str(HOME)).iterdir())
    assert before[0] is not None
    after = await queue.expunge(before[0].event)
    assert (after.event.payload, after.event.creator, after.state.status) == (None, None, Status.SUCCEEDED)
    assert after.state.expunged_ms is not None
    attempts = await queue.attempts(mixed.ids[0])
    assert attempts is not None
    assert [(one.url, one.response_body) for one in attempts] == [(OK.url, None)]
    assert files.isdisjoint((tmp_path / "archive" / str(HOME)).iterdir())
    assert [await queue.get(one) for one in mixed.ids[1:]] == before[1:]
    assert await queue.expunge(before[0].event) == after
    await history.assert_each_once(mixed.ids)


async def test_all_events_of_a_segment_are_expunged_at_once(mixed: Mixed) -> None:
    queue = mixed.history.queue
    events = [await mixed.add(Status.SUCCEEDED) for _ in range(12)]
    await mixed.history.move()
    expunged = await asyncio.gather(*(queue.expunge(event) for event in events))
    assert all(one.state.expunged_ms for one in expunged)


async def test_an_expunge_that_is_stopped_is_done_by_its_repeat(mixed: Mixed, tmp_path: Path) -> None:
    await mixed.history.move()
    event = await mixed.history.queue.get(mixed.ids[0])
    assert event is not None

    class Killed(BaseException):
        pass

    class Stops(FileStorage):
        def delete(self, key: str) -> None:
            raise Killed

    mixed.history.archive.storage = Stops(Path(mixed.history.storage.words.label))
    with pytest.raises(Killed):
        await mixed.history.queue.expunge(event.event)
    mixed.history.archive.storage = mixed.history.storage
    folder = tmp_path / "archive" / str(HOME)
    assert len(list(folder.iterdir())) == 2
    await mixed.history.queue.expunge(event.event)
    assert len(list(folder.iterdir())) == 1
    await mixed.history.assert_each_once(mixed.ids)


async def test_an_exchange_that_redis_lost_is_made_good(mixed: Mixed) -> None:
    history, queue = mixed.history, mixed.history.queue
    await history.move()
    event = await queue.get(mixed.ids[0])
    assert event is not None
    manifest = await history.redis.hgetall(keys.segments(HOME))  # type: ignore[misc]
    after = await queue.expunge(event.event)
    await history.redis.delete(keys.segments(HOME))
    await history.redis.hset(keys.segments(HOME), mapping=manifest)  # type: ignore[misc]
    with pytest.raises(ArchiveUnavailable):
        await queue.get(event.event.id)
    await sweep(history.archive, HOME, history.desk.generation)
    assert await queue.get(event.event.id) == after
    await history.assert_each_once(mixed.ids)
