"""Views of the queue: the audit, lists, the overview and changes."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.errors import InvalidRequest
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.store.redis.scripts import run, script
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk


async def test_the_audit_names_what_is_broken(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    await redis.delete(f"{{p{HOME}}}:d:{LANE}")
    report = await desk.store.recount()
    assert not report.well
    assert report.broken == {event_id: "it is in no place"}


async def test_the_audit_tells_of_an_open_event_that_is_not_listed_and_of_one_counted_twice(redis: Redis) -> None:
    desk = await Desk(redis).open()
    ids = [await desk.emit("A") for _ in range(3)]
    await redis.srem(f"{{p{HOME}}}:open", ids[2])  # type: ignore[misc]
    report = await desk.store.recount()
    assert (report.well, report.accepted, report.terminal, report.open, report.broken) == (False, 3, 0, 2, {})
    await redis.sadd(f"{{p{HOME}}}:open", ids[2])  # type: ignore[misc]
    await desk.assert_well()
    await redis.hincrby(f"{{p{HOME}}}:counts", "terminal:SUCCEEDED", 1)  # type: ignore[misc]
    assert not (await desk.store.recount()).well


async def test_the_audit_names_an_event_in_two_places_among_many(redis: Redis) -> None:
    desk = await Desk(redis).open()
    ids = [await desk.emit(f"A{n % 700}") for n in range(1400)]
    await desk.assert_well()
    await redis.zadd(f"{{p{HOME}}}:wait", {ids[3]: 1})
    await redis.zadd(f"{{p{HOME}}}:d:{LANE}", {ids[1399]: 1})
    report = await desk.store.recount()
    assert (report.accepted, report.terminal, report.open) == (1400, 0, 1400)
    assert report.broken == {ids[3]: "it is in 2 places", ids[1399]: "it overtook the head of its group"}


async def test_what_was_put_right_or_ended_since_the_audit_saw_it_is_not_named(redis: Redis) -> None:
    desk = await Desk(redis).open()
    mended, ended, broken = [await desk.emit(account) for account in "ABC"]
    claimed = await desk.ids()
    assert set(claimed) == {mended, ended, broken}
    await desk.settle(ended, Status.SUCCEEDED)
    await redis.hdel(f"{{p{HOME}}}:flight", broken)  # type: ignore[misc]
    call = script("queue/recount").call([f"{{p{HOME}}}:own"], "again", mended, ended, broken)
    assert await run(redis, [call]) == [[b"0", 3, 1, 2, broken.encode(), b"it is in no place"]]


async def test_lists_page_through_every_event_newest_first(redis: Redis) -> None:
    desk = await Desk(redis).open()
    ids = [await desk.emit(f"A{i % 3}") for i in range(25)]
    seen: list[str] = []
    cursor = None
    while True:
        page = await desk.queue.page(EventFilter(), cursor, 10)
        seen += [item.event.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]
    only = await desk.queue.page(EventFilter(account_id="A1", statuses=frozenset({Status.QUEUED})), None, 10)
    assert [item.event.id for item in only.items] == [ids[1]]


@pytest.mark.parametrize("product", ["P", 'P"', "P\\", "é", ',"p":"P"', '{"t":"DEAD"'])
async def test_a_product_is_compared_with_the_products_of_events_alone(redis: Redis, product: str) -> None:
    """``{"p": "P"}`` anywhere in a payload was taken for the product, and the event sent again with it."""
    desk = await Desk(redis).open()
    nested = {"p": product, "d": {"p": product}, "t": f',"p":"{product}"', "list": [{"t": "X", "r": 1, "p": product}]}
    others = [
        event_of(LANE, PARTITIONS, "A", product_id=other, payload=nested, creator=nested)
        for other in (None, "Q", f"{product}2", f"2{product}", f'","p":"{product}"')
    ]
    mine = event_of(LANE, PARTITIONS, "A", product_id=product, payload={"p": "Q"})
    await desk.queue.accept([*others, mine])
    found = await desk.queue.page(EventFilter(product_id=product), None, 10)
    assert [stored.event.id for stored in found.items] == [mine.id]


async def test_an_account_that_looks_like_a_document_changes_the_type_of_no_event(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event = event_of(LANE, PARTITIONS, '{"t":"SUBSCRIPTION_STATUS"')
    await desk.queue.accept([event])
    found = await desk.queue.page(EventFilter(types=frozenset({event.type})), None, 10)
    assert [stored.event.id for stored in found.items] == [event.id]
    assert [change.type for change in await desk.queue.changes(None, 10)] == [event.type]


async def test_an_integration_is_compared_as_a_whole(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await desk.emit("A")
    condition = EventFilter(integration_id=f"{LANE},another")
    assert (await desk.queue.page(condition, None, 10)).items == []
    within = EventFilter(lanes=frozenset({LANE, "another"}))
    assert len((await desk.queue.page(within, None, 10)).items) == 1


async def test_the_overview_counts_every_place(redis: Redis) -> None:
    desk = await Desk(redis).open()
    first = await desk.emit("A")
    await desk.emit("A")
    await desk.emit("B")
    view = await desk.queue.overview()
    assert (view.ready, view.waiting, view.in_flight) == (2, 1, 0)
    await desk.claim()
    await desk.settle(first, Status.RETRYING, delay_ms=60_000)
    view = await desk.queue.overview()
    assert (view.ready, view.waiting, view.scheduled, view.in_flight) == (0, 1, 1, 1)
    assert view.lanes[0].integration_id == LANE


async def test_changes_are_told_and_resumed(redis: Redis) -> None:
    desk = await Desk(redis).open()
    start = await desk.queue.newest_change()
    event_id = await desk.emit("A")
    await desk.ids()
    await desk.settle(event_id, Status.SUCCEEDED)
    changes = await desk.queue.changes(start)
    assert [(c.event_id, c.status) for c in changes] == [(event_id, Status.QUEUED), (event_id, Status.SUCCEEDED)]
    assert [c.status for c in await desk.queue.changes(changes[0].id)] == [Status.SUCCEEDED]


async def test_a_cursor_of_another_listing_is_refused(redis: Redis) -> None:
    desk = await Desk(redis).open()
    for _ in range(3):
        await desk.emit("A")
    cursor = (await desk.queue.page(EventFilter(), None, 1)).next_cursor
    assert cursor is not None
    with pytest.raises(InvalidRequest, match="nextCursor"):
        await desk.queue.page(EventFilter(account_id="A"), cursor, 1)


async def test_changes_that_an_older_version_told_are_read(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await desk.emit("A")
    before = {"i": event_id, "s": "SUCCEEDED", "t": "SUBSCRIPTION_CHANGE", "l": LANE, "g": "A", "n": 1, "h": 200}
    await redis.xadd(f"{{p{HOME}}}:feed", before)  # type: ignore[arg-type]
    told, older = await desk.queue.changes(None)
    assert (told.event_id, told.status, told.http_status) == (event_id, Status.QUEUED, None)
    assert (older.event_id, older.status, older.http_status, older.account_id) == (event_id, Status.SUCCEEDED, 200, "A")
