"""Lists, counts and looks say the same of events whichever side of the border they are on."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.errors import ArchiveUnavailable, Conflict, InvalidRequest, NotFound
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.store.archive import archive as archive_module
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.reading import search as searching
from dispatcher.store.archive.reading.search import Found
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.archive.upkeep.sweeping import sweep
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.partition import REPAIR_START
from dispatcher.store.queue.search import listing
from dispatcher.store.queue.views import rows
from tests.events import event_of
from tests.store.archive.history import RETENTION_MS, History, soon_ms
from tests.store.archive.mixed import ELSEWHERE, Mixed
from tests.store.desk import HOME, LANE, PARTITIONS

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


async def test_an_account_is_found_however_it_is_spelled(history: History) -> None:
    accounts = ['Ü"x', "back\\slash", "plain", "\u2028"]
    for account in accounts:
        event = event_of(LANE, PARTITIONS, account)
        await history.desk.queue.accept([event])
        await history.desk.ids()
        await history.desk.settle(event.id, Status.SUCCEEDED)
    assert await history.move() == len(accounts)
    for account in [*accounts, "another"]:
        archive = Archive(history.redis, history.storage, soon_ms)  # remembers no footers
        queue = QueueStore(history.redis, partitions=PARTITIONS, retention_ms=RETENTION_MS, archive=archive)
        page = await queue.page(EventFilter(account_id=account), None, 10)
        assert [item.event.account_id for item in page.items] == [account] * (account in accounts)


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
