"""Lists, counts and looks say the same of events whichever side of the border they are on."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.errors import ArchiveUnavailable, Conflict, InvalidRequest, NotFound
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.policy.integration_filter.filter import FILTERED
from dispatcher.store.archive import archive as archive_module
from dispatcher.store.archive import searching
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.files import FileStorage
from dispatcher.store.archive.searching import Found
from dispatcher.store.archive.sweeping import sweep
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.claims import Settlement
from dispatcher.store.queue.owning.partition import REPAIR_START
from dispatcher.store.queue.search import listing
from dispatcher.store.queue.views import rows
from tests.events import event_of
from tests.store.archive.history import History, soon_ms
from tests.store.desk import HOME, LANE, PARTITIONS

ELSEWHERE = "8f157a26-0238-4f3f-9c31-1f3e65b4713f"
"""An integration in another partition."""
OK = Attempt(1, 1, 2.0, "https://u:p@API.acme.example:8443/x?y", Outcome.OK, 200, response_body="well")
CREATED = OK._replace(url="http://other.example/", http_status=201)
FILTERS = [
    "",
    "status:succeeded",
    "status:succeeded,dead",
    "status:skipped -account:B",
    "status:dead,failed,expired",
    "status:queued",
    "type:subscription_status",
    "type:subscription_order,subscription_change",
    "account:A",
    "account:A,B",
    "product:Q",
    "-product:Q",
    "client:me",
    "-client:me",
    "error:filtered",
    "outcome:ok",
    "http:2xx",
    "http:201",
    "-http:200",
    "host:api.acme.example",
    "host:api.acme.example:8443",
    "reason:delivered",
    "reason:filtered,resolved_by_hand",
    "-reason:delivered",
    "attempts:1",
    "attempts>1",
    "next:2020-01-01..2100-01-01",
    "since:2020-01-01",
    "until:2020-01-01",
    "payload.order.id:4711",
    "payload.order.lines.1:b",
    "payload.flag:true",
    "payload.none:null",
    "payload.order.id:4712",
    "A",
    "Q",
    f"integration:{LANE}",
    f"integration:{ELSEWHERE}",
]


class Mixed:
    """Events of all kinds that have ended in all ways, in two partitions."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.ids: list[str] = []

    async def add(self, to: Status, attempt: Attempt | None = OK, lane: str = LANE, **more: object) -> Event:
        desk = self.history.desk
        account = more.pop("account", "A")
        event = event_of(lane, PARTITIONS, account, **more)  # type: ignore[arg-type]
        await desk.queue.accept([event])
        claimed = await desk.worker.take(event.id)
        error = FILTERED if to is Status.SKIPPED else None
        settlement = Settlement(claimed, to, 0, attempt, error_code=error, error_message=error and "left out")
        assert await desk.worker.settle(desk.worker.partition_of(event.id), [settlement]) == 1
        self.ids.append(event.id)
        return event

    async def fill(self) -> None:
        payload = {"order": {"id": 4711, "lines": ["a", "b"]}, "flag": True, "none": None}
        await self.add(Status.SUCCEEDED, payload=payload, client_id="me")
        await self.add(Status.SUCCEEDED, CREATED, product_id="Q", client_id="other", account="B")
        await self.add(Status.SKIPPED, None, account=None)
        await self.add(Status.SKIPPED, None, account="B", kind=EventType.SUBSCRIPTION_ORDER)
        await self.add(Status.SUCCEEDED, kind=EventType.SUBSCRIPTION_STATUS)
        await self.add(Status.SUCCEEDED, CREATED, lane=ELSEWHERE, account="B", product_id="Q")
        await self.add(Status.DEAD, OK._replace(http_status=500, outcome=Outcome.HTTP_ERROR))
        await self.add(Status.SUCCEEDED, lane=ELSEWHERE, payload={"order": {"id": "4711"}})
        resolved = await self.add(Status.DEAD, account="C")
        await self.history.queue.resolve(resolved.id)

    async def all(self, condition: EventFilter, limit: int) -> list[object]:
        cursor, items = None, list[object]()
        while True:
            page = await self.history.queue.page(condition, cursor, limit)
            assert len(page.items) <= limit
            items += page.items
            cursor = page.next_cursor
            if cursor is None:
                return items


@pytest.fixture
async def mixed(history: History) -> Mixed:
    made = Mixed(history)
    await made.fill()
    return made


def conditions(ids: list[str]) -> list[EventFilter]:
    named = [f"id:{ids[0]}", f"id:{','.join(ids[:4])}", ids[1], f"id:{ids[2][:20]}", f"-id:{ids[0][:13]}"]
    return [read_filter(text, 0, of_failures=True) for text in [*FILTERS, *named]]


async def test_lists_and_counts_are_the_same_on_both_sides_and_across_the_border(mixed: Mixed) -> None:
    history = mixed.history
    asked = conditions(mixed.ids)
    before = [await mixed.all(one, 100) for one in asked]
    counted = [await history.queue.count(one) for one in asked]
    assert await history.move() == 8
    for condition, expected, count in zip(asked, before, counted, strict=True):
        for limit in (1, 2, 100):
            assert await mixed.all(condition, limit) == expected, condition
        assert await history.queue.count(condition) == count, condition
    await mixed.add(Status.SUCCEEDED)
    newer = await mixed.all(EventFilter(), 100)
    assert newer[1:] == before[0]
    assert await history.move() == 1
    assert await mixed.all(EventFilter(), 2) == newer
    await history.assert_each_once(mixed.ids)


async def test_one_event_is_shown_as_it_was(mixed: Mixed) -> None:
    queue, ids = mixed.history.queue, mixed.ids
    before = [(await queue.get(one), await queue.explain(one), await queue.attempts(one)) for one in ids]
    await mixed.history.move()
    assert [(await queue.get(one), await queue.explain(one), await queue.attempts(one)) for one in ids] == before


async def test_a_cursor_goes_on_although_events_have_moved(mixed: Mixed) -> None:
    queue, history = mixed.history.queue, mixed.history
    everything = await mixed.all(EventFilter(), 100)
    first = await queue.page(EventFilter(), None, 3)
    await history.move()
    second = await queue.page(EventFilter(), first.next_cursor, 100)
    assert [*first.items, *second.items] == everything


async def test_what_moves_between_its_row_and_its_payload_is_on_the_page(
    mixed: Mixed, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await mixed.all(EventFilter(), 100)
    shown = rows.shown

    async def late(*arguments: Any, **more: Any) -> Any:
        await mixed.history.move()
        return await shown(*arguments, **more)

    monkeypatch.setattr(listing, "shown", late)
    assert await mixed.all(EventFilter(), 100) == before


async def test_what_moves_between_log_and_archive_is_on_the_page_once(mixed: Mixed) -> None:
    before = await mixed.all(EventFilter(), 100)

    class Moving(Archive):
        async def search(self, *arguments: Any, **more: Any) -> Found:
            await mixed.history.move()
            return await super().search(*arguments, **more)

    archive = mixed.history.archive
    mixed.history.queue.archive = Moving(mixed.history.redis, archive.storage, archive.now_ms)
    assert await mixed.all(EventFilter(), 100) == before


async def test_times_bound_what_is_found(mixed: Mixed) -> None:
    (last,) = (await mixed.history.queue.page(EventFilter(), None, 1)).items
    at_ms = last.state.created_ms
    asked = [EventFilter(from_ms=at_ms), EventFilter(to_ms=at_ms), EventFilter(from_ms=1, to_ms=2)]
    before = [await mixed.all(one, 100) for one in asked]
    await mixed.history.move()
    assert [await mixed.all(one, 2) for one in asked] == before


async def test_a_page_without_payloads_has_none(mixed: Mixed) -> None:
    queue = mixed.history.queue
    before = await queue.page(EventFilter(), None, 100, payloads=False)
    await mixed.history.move()
    assert await queue.page(EventFilter(), None, 100, payloads=False) == before


async def test_a_page_that_takes_long_ends_early_and_goes_on(mixed: Mixed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MAX_BLOCKS", 0)
    condition = read_filter("payload.order.id:4711", 0, EventFilter(integration_id=LANE), of_failures=True)
    await mixed.history.move()
    cursor, found, pages = None, 0, 0
    while True:
        page = await mixed.history.queue.page(condition, cursor, 10)
        found, pages, cursor = found + len(page.items), pages + 1, page.next_cursor
        if cursor is None:
            break
        assert len(page.items) == 10 or page.searched_to_ms is not None
    assert found == 1
    assert pages > 1


async def test_what_has_moved_is_refused_as_before(mixed: Mixed) -> None:
    queue, event_id = mixed.history.queue, mixed.ids[0]
    await mixed.history.move()
    for refused in (queue.redeliver(event_id, 1), queue.resolve(event_id), queue.bring_forward(event_id)):
        with pytest.raises(Conflict, match="SUCCEEDED"):
            await refused
    gone = event_of(LANE, PARTITIONS)
    with pytest.raises(NotFound):
        await queue.redeliver(gone.id, 1)
    assert await queue.get(gone.id) is None


async def test_an_archive_that_is_away_is_told_and_left_out_where_a_part_will_do(mixed: Mixed, tmp_path: Path) -> None:
    queue = mixed.history.queue
    await mixed.history.move()
    (tmp_path / "archive").rename(tmp_path / "away")
    with pytest.raises(ArchiveUnavailable, match="is its disk mounted"):
        await queue.get(mixed.ids[0])
    with pytest.raises(ArchiveUnavailable, match="is its disk mounted"):
        await queue.page(EventFilter(), None, 100)
    some = await queue.page(EventFilter(), None, 100, complete=False)
    assert {item.state.status for item in some.items} == {Status.DEAD}
    with pytest.raises(ArchiveUnavailable, match="is its disk mounted"):
        await queue.page(EventFilter(), some.next_cursor, 100, complete=False)
    assert (await queue.page(read_filter("status:dead", 0), None, 100)).items == some.items


async def test_a_storage_that_hangs_is_not_waited_for(mixed: Mixed, monkeypatch: pytest.MonkeyPatch) -> None:
    await mixed.history.move()
    monkeypatch.setattr(archive_module, "WITHIN_S", 0.05)
    answers = threading.Event()

    class Hangs(FileStorage):
        def read(self, key: str, at: int, size: int) -> bytes:
            answers.wait(30)
            return super().read(key, at, size)

    queue, storage = mixed.history.queue, mixed.history.storage
    queue.archive = Archive(mixed.history.redis, Hangs(Path(storage.words.label)), soon_ms)
    with pytest.raises(ArchiveUnavailable, match="does not answer"):
        await queue.get(mixed.ids[0])
    answers.set()


async def test_repairs_find_nothing_amiss(mixed: Mixed) -> None:
    history = mixed.history
    await history.move()
    repaired = await history.desk.store.repair(dict.fromkeys(history.desk.worker.generations, REPAIR_START))
    assert [repairs for _, repairs in repaired.values()] == [0] * len(repaired)
    await history.desk.assert_well()


async def test_a_foreign_cursor_is_refused(mixed: Mixed) -> None:
    await mixed.history.move()
    page = await mixed.history.queue.page(EventFilter(account_id="A"), None, 1)
    with pytest.raises(InvalidRequest):
        await mixed.history.queue.page(EventFilter(), page.next_cursor, 1)


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


async def test_both_sides_are_read_in_a_cluster(cluster: Redis, tmp_path: Path) -> None:
    history = await History(cluster, FileStorage(tmp_path / "archive")).open()
    mixed = Mixed(history)
    await mixed.fill()
    before = await mixed.all(EventFilter(), 100)
    assert await history.move() == 8
    assert await mixed.all(EventFilter(), 2) == before
    first = before[-1]
    assert isinstance(first, StoredEvent)
    await history.queue.expunge(first.event)
    await sweep(history.archive, HOME, history.desk.generation)
    await history.assert_each_once(mixed.ids)
