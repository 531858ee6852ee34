"""Events with packed contents are found, shown, held to bounds, expunged and archived as plain ones beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import Event
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.keys import queue as keys
from dispatcher.store.packing.documents import packed_at
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.claims import Settlement, UnreadableContents
from tests.events import event_of
from tests.hand_worker import RETENTION_MS
from tests.store.archive.history import History
from tests.store.desk import HOME, LANE, PARTITIONS, Desk

LONG = "a note of some length, " * 20


def wanted(text: str) -> EventFilter:
    return read_filter(text, 0, of_failures=True)


def made(account: str | None = "A", **contents: Any) -> Event:
    return event_of(LANE, PARTITIONS, account, payload={"note": LONG, **contents})


async def stored(redis: Redis, event_id: str) -> bytes:
    found: bytes = await redis.hget(keys.event(HOME, event_id), "doc")  # type: ignore[misc]
    return found


@pytest.fixture
async def desk(redis: Redis) -> AsyncIterator[Desk]:
    opened = await Desk(redis).open()
    yield opened
    await opened.assert_well()


async def both(desk: Desk, **contents: Any) -> tuple[Event, Event]:
    """An event whose contents are packed, and one that an API accepted which packs none."""
    small, plain = made(**contents), made("B", **contents)
    await desk.queue.accept([small])
    await QueueStore(desk.client, partitions=PARTITIONS, retention_ms=RETENTION_MS, pack=False).accept([plain])
    assert packed_at(await stored(desk.client, small.id)) > 0 > packed_at(await stored(desk.client, plain.id))
    return small, plain


async def test_both_forms_are_found_by_what_their_payloads_hold(desk: Desk) -> None:
    first = [one.id for one in await both(desk, order={"id": "4711", "items": [{"code": None}]})]
    second = [one.id for one in await both(desk, order={"id": 12.5})]
    bare = await desk.emit("C")
    for text, ids in (
        ("payload.order.id:4711", first),
        ("payload.order.id:12.5", second),
        ("payload.order.items.0.code:null", first),
        ("payload.order.id:4711,12.5", first + second),
        ("-payload.order.id:4711", [*second, bare]),
        ("payload.order.id:4711 account:A", first[:1]),
        ("payload.order:4711", []),
        ("payload.nothing:4711", []),
    ):
        condition, found, cursor = wanted(text), list[str](), None
        while cursor is not None or not found:
            page = await desk.queue.page(condition, cursor, 1)
            found += [one.event.id for one in page.items]
            assert all(one.event.payload for one in page.items)
            if (cursor := page.next_cursor) is None:
                break
        assert sorted(found) == sorted(ids), text
        assert (await desk.queue.count(condition)).matched == len(ids), text
        assert await desk.queue.meeting(condition, [*first, *second, bare]) == set(ids), text


async def test_lists_show_them_with_and_without_their_contents(desk: Desk) -> None:
    events = await both(desk, order=1)
    page = await desk.queue.page(EventFilter(), None, 10)
    assert sorted((one.event for one in page.items), key=lambda one: one.id) == sorted(events, key=lambda one: one.id)
    heads = await desk.queue.page(EventFilter(), None, 10, payloads=False)
    assert {one.event.id for one in heads.items} == {one.id for one in events}
    assert all(one.event.payload is None and one.event.product_id == "P" for one in heads.items)


async def test_a_page_is_bounded_by_what_is_unpacked(desk: Desk) -> None:
    await desk.queue.accept([event_of(LANE, PARTITIONS, None, payload={"x": "y" * 200_000}) for _ in range(10)])
    page = await desk.queue.page(EventFilter(), None, 10)
    assert len(page.items) == 5
    assert page.next_cursor is not None


async def test_a_claim_hands_out_contents_and_counts_them_unpacked(desk: Desk) -> None:
    events = await both(desk, x="y" * 3000)
    sizes = [len(event.stored()) for event in events]
    claim = await desk.claim()
    assert {one.event.id: (one.whole(), one.size_bytes) for one in claim.events} == {
        event.id: (event, size) for event, size in zip(events, sizes, strict=True)
    }


async def test_what_is_claimed_stays_packed_until_somebody_looks_into_it(desk: Desk) -> None:
    event = made("A", x=1)
    await desk.queue.accept([event])
    (claimed,) = (await desk.claim()).events
    assert (claimed.event.payload, claimed.event) == (None, event._replace(creator=None, payload=None))
    assert len(claimed.contents) < len(event.stored())


async def test_contents_name_no_installation(desk: Desk) -> None:
    """The part of a document that scripts look at ends where its contents begin."""
    event = made("A", s="other", more={"x": 1, "s": "another"})
    await desk.queue.accept([event])
    await desk.claim()
    outcome = Settlement(desk.claimed[event.id], Status.SUCCEEDED, account_identifier="host's own")
    await desk.worker.settle(HOME, [outcome])
    facts = await desk.client.hgetall(keys.group_facts(HOME, LANE, "A"))  # type: ignore[misc]
    assert facts == {b"seq": b"1", b"ident": b"host's own"}


async def test_expunging_forgets_packed_contents(desk: Desk) -> None:
    events = await both(desk, secret="s3cret")
    await desk.claim()
    for event in events:
        await desk.settle(event.id, Status.SUCCEEDED)
        await desk.queue.expunge(event)
        document = await stored(desk.client, event.id)
        assert packed_at(document) < 0
        assert b"note" not in document
        found = await desk.queue.get(event.id)
        assert found is not None
        assert found.event.payload is None


async def test_one_that_cannot_be_unpacked_spoils_no_other(desk: Desk) -> None:
    damaged, whole = made("A", x=1), made("B", x=1)
    await desk.queue.accept([damaged, whole])
    document = await stored(desk.client, damaged.id)
    at = packed_at(document)
    unknown = document[: at + 2] + b"\xfe" + document[at + 3 :]
    await desk.client.hset(keys.event(HOME, damaged.id), "doc", unknown)  # type: ignore[misc, arg-type]
    claim = {one.event.id: one for one in (await desk.claim()).events}
    assert claim[whole.id].whole() == whole
    with pytest.raises(UnreadableContents):
        claim[damaged.id].whole()
    assert await desk.queue.get(damaged.id) is None
    found = await desk.queue.page(wanted("payload.x:1"), None, 10)
    assert [one.event.id for one in found.items] == [whole.id]


async def test_the_archive_has_contents_plain(redis: Redis, tmp_path: Path) -> None:
    history = await History(redis, FileStorage(tmp_path)).open()
    events = await both(history.desk, order={"id": 7})
    await history.desk.claim()
    for event in events:
        claimed = history.desk.claimed[event.id]
        attempt = Attempt(claimed.n, 1, 2.0, "https://x.example/", Outcome.OK, 200)
        await history.desk.worker.settle(HOME, [Settlement(claimed, Status.SUCCEEDED, 0, attempt)])
    assert await history.move() == 2
    assert await history.in_redis() == []
    found = await history.queue.page(wanted("payload.order.id:7"), None, 10)
    assert {one.event.id: one.event.payload for one in found.items} == {one.id: one.payload for one in events}
