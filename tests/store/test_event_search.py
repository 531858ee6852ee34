"""Filters in the store: what each field finds, in which order, through indexes and logs, and what a search may cost."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.errors import InvalidRequest
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.queue.search import listing
from tests.events import event_of
from tests.store.desk import LANE, PARTITIONS, Desk
from tests.store.searching import emit, end, found, wanted


@pytest.fixture
async def scene(redis: Redis) -> tuple[Desk, dict[str, str]]:
    """A delivered, a refused, a dead, a retrying and a queued event, each of an account of its own."""
    desk = await Desk(redis).open()
    ids = {
        "ok": await emit(desk, "acme", product_id="shop", payload={"order": {"id": "4711", "items": [{"code": "B"}]}}),
        "no": await emit(desk, "bolt", product_id='we"ird', payload={"order": {"id": 4711, "paid": False}}),
        "dead": await emit(
            desk, None, kind=EventType.SUBSCRIPTION_CANCEL, payload={"note": '"id":"4711"', "gone": None}
        ),
        "retry": await emit(desk, "dent", payload={"price": 12.5}),
    }
    await end(desk, ids["ok"], Status.SUCCEEDED)
    await end(desk, ids["no"], Status.FAILED, error_code="INVALID", error_message='it said "n":9')
    timeout = Attempt(1, 1, 2.0, "https://other.example/x", Outcome.TIMEOUT)
    await end(desk, ids["dead"], Status.DEAD, attempt=timeout, error_code="TIMEOUT")
    answer = Attempt(1, 1, 2.0, "https://other.example/x", Outcome.HTTP_ERROR, 503)
    await end(desk, ids["retry"], Status.RETRYING, attempt=answer, delay_ms=60_000)
    ids["queued"] = await emit(desk, "echo")
    return desk, ids


FINDS = [
    ("account:acme,bolt", "ok no"),
    ("-account:acme,bolt", "dead retry queued"),
    ('product:shop,"we\\"ird"', "ok no"),
    ("-product:P", "ok no"),
    ("type:cancel", "dead"),
    ("-type:cancel", "ok no retry queued"),
    ("-status:queued,dead", "ok no retry"),
    ("error:invalid,timeout", "no dead"),
    ("-error:timeout", "ok no retry queued"),
    ("outcome:ok", "ok no"),
    ("outcome:timeout,http_error", "dead retry"),
    ("http:200", "ok no"),
    ("http:5xx", "retry"),
    ("http<500", "ok no"),
    ("-http:200..600", "dead queued"),
    ("host:api.acme.example", "ok no"),
    ("host:api.acme.example:8443,other.example", "ok no dead retry"),
    ("attempts:0", "queued"),
    ("attempts>0 attempts<2", "ok no dead retry"),
    ("reason:delivered,refused_by_host", "ok no"),
    ("reason:retry_planned", "retry"),
    ("reason:ready", "queued"),
    ("-reason:ready,delivered", "no dead retry"),
    ("acme", "ok"),
    ("shop", "ok"),
    ("-shop -echo", "no dead retry"),
    ("next>=2001-01-01", "retry"),
    ("payload.order.id:4711", "ok no"),
    ("payload.order.items.0.code:B", "ok"),
    ("payload.order.paid:false", "no"),
    ("payload.gone:null", "dead"),
    ("payload.price:12.5", "retry"),
    ("payload.order:4711", ""),
    ("status:dead,failed payload.order.id:4711", "no"),
]


async def test_each_field_finds_what_it_says(scene: tuple[Desk, dict[str, str]]) -> None:
    desk, ids = scene
    for text, names in FINDS:
        expected = {ids[name] for name in names.split()}
        assert set(await found(desk, text)) == expected, text
        assert (await desk.queue.count(wanted(text))).matched == len(expected), text
        assert await desk.queue.meeting(wanted(text), list(ids.values())) == expected, text


async def test_an_event_is_found_by_its_id_or_the_beginning_of_it(scene: tuple[Desk, dict[str, str]]) -> None:
    desk, ids = scene
    whole = ids["ok"]
    assert await found(desk, f"id:{whole}") == [whole]
    assert await found(desk, whole.upper()) == [whole]
    assert await found(desk, f"id:{whole[:30]}") == [whole]
    assert await found(desk, whole[:30]) == [whole]
    nobody = "00000000-0000-7000-8000-000000000000"
    assert await found(desk, nobody) == []
    assert await found(desk, f"id:{nobody},{whole}") == [whole]


async def test_reports_are_found_when_they_are_asked_for(redis: Redis) -> None:
    desk = await Desk(redis).open()
    report = await emit(desk, "A", kind=EventType.SUBSCRIPTION_STATUS)
    assert await found(desk, "account:A") == []
    assert await found(desk, "type:status account:A") == [report]
    assert await found(desk, f"id:{report}") == [report]
    await end(desk, report, Status.DEAD)
    assert (await desk.queue.count(wanted("status:dead"))).matched == 1, "a dead letter like any other"
    assert await found(desk, "status:dead account:A") == [report]


async def test_open_events_come_from_their_places(scene: tuple[Desk, dict[str, str]]) -> None:
    desk, ids = scene
    assert await found(desk, "status:queued,held,retrying") == [ids["queued"], ids["retry"]]
    await desk.claim()
    assert await found(desk, "status:delivering") == [ids["queued"]]
    await desk.settle(ids["queued"], Status.AWAITING_RESULT, 60_000)
    assert await found(desk, "status:awaiting_result") == [ids["queued"]]
    assert await found(desk, "status:delivering") == []


async def test_a_search_through_the_log_ends_early_and_goes_on(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SCAN_CHUNK", 2)
    monkeypatch.setattr(listing, "MAX_LOOKED", 4)
    desk = await Desk(redis).open()
    first = await emit(desk, "rare")
    for n in range(20):
        await emit(desk, f"A{n}")
    condition = EventFilter(account_id="rare")
    page = await desk.queue.page(condition, None, 10)
    assert page.items == []
    assert page.searched_to_ms is not None
    pages, items = 1, list[StoredEvent]()
    while page.next_cursor is not None:
        page = await desk.queue.page(condition, page.next_cursor, 10)
        items += page.items
        pages += 1
    assert [item.event.id for item in items] == [first]
    assert pages > 3
    assert page.searched_to_ms is None


async def test_a_search_without_time_looks_at_a_thousand_and_goes_on(redis: Redis) -> None:
    desk = await Desk(redis).open()
    first = await emit(desk, "rare")
    await desk.queue.accept([event_of(LANE, PARTITIONS, f"A{n}") for n in range(2 * listing.LEAST_LOOKED)])
    condition, cursor, pages, items = EventFilter(account_id="rare"), None, 0, list[StoredEvent]()
    while cursor is not None or not pages:
        page = await desk.queue.page(condition, cursor, 10, within_s=0)
        items += page.items
        assert (page.searched_to_ms is None) == (page.next_cursor is None)
        cursor, pages = page.next_cursor, pages + 1
    assert ([item.event.id for item in items], pages) == ([first], 3)


async def test_a_cursor_belongs_to_its_filter(scene: tuple[Desk, dict[str, str]]) -> None:
    desk, ids = scene
    page = await desk.queue.page(wanted("status:dead,failed"), None, 1)
    assert page.next_cursor is not None
    for other in ("status:dead,failed attempts:1", "status:dead", ""):
        with pytest.raises(InvalidRequest):
            await desk.queue.page(wanted(other), page.next_cursor, 1)
    rest = await desk.queue.page(wanted("status:failed,dead"), page.next_cursor, 1)
    assert {item.event.id for item in (*page.items, *rest.items)} == {ids["no"], ids["dead"]}
