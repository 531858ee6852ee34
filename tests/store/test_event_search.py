"""Filters in the store: what each field finds, in which order, through indexes and logs, and what a search may cost."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.errors import InvalidRequest
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.model.status import FAILURES, Status
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.claims import Settlement
from dispatcher.store.queue.owning.partition import REPAIR_START
from dispatcher.store.queue.search import candidates, indexed, listing
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk
from tests.store.test_script_cost import MOST_MS, Watch

HOUR_MS = 3_600_000


def wanted(text: str, now_ms: int = 0) -> EventFilter:
    return read_filter(text, now_ms, of_failures=True)


async def found(desk: Desk, text: str, *, limit: int = 100, **more: Any) -> list[str]:
    """Ids of all pages, in their order."""
    condition = EventFilter(**more) if more else wanted(text)
    cursor, ids = None, list[str]()
    while cursor is not None or not ids:
        page = await desk.queue.page(condition, cursor, limit)
        ids += [item.event.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    return ids


async def emit(desk: Desk, account: str | None, **more: Any) -> str:
    event = event_of(LANE, PARTITIONS, account, **more)
    await desk.queue.accept([event])
    return event.id


async def end(desk: Desk, event_id: str, status: Status, **more: Any) -> None:
    """After one attempt, unless ``attempt`` says otherwise."""
    await desk.claim()
    claimed = desk.claimed[event_id]
    attempt = more.pop("attempt", Attempt(claimed.n, 1, 2.0, "https://u:p@API.acme.example:8443/x?y", Outcome.OK, 200))
    delay_ms = more.pop("delay_ms", 0)
    assert await desk.worker.settle(
        HOME, [Settlement(claimed, status, delay_ms, attempt._replace(n=claimed.n), **more)]
    )


async def failed_at(redis: Redis, event_id: str, status: Status, at_ms: int) -> None:
    """As if it had failed then."""
    name = keys.event(HOME, event_id)
    state = await redis.hget(name, "state")  # type: ignore[misc]
    head, _, rest = state.decode().partition('"x":')
    await redis.hset(name, "state", f'{head}"x":{at_ms}{rest.lstrip("0123456789")}')  # type: ignore[misc]
    await redis.zadd(candidates.FAILURE_KEYS[status](HOME), {event_id: at_ms})


async def test_failures_are_found_newest_first_across_pages(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed, "SLICE", 100)
    monkeypatch.setattr(indexed, "CALL", 3)
    desk = await Desk(redis).open()
    made = [await emit(desk, "A") for _ in range(9)]
    for n, event_id in enumerate(made):
        await end(desk, event_id, (Status.DEAD, Status.FAILED, Status.SUCCEEDED)[n % 3])
    failed = [event_id for n, event_id in enumerate(made) if n % 3 != 2][::-1]
    for limit in (1, 2, 6, 100):
        assert await found(desk, "status:dead,failed,expired", limit=limit) == failed
    assert (await desk.queue.count(wanted("status:dead,failed"))).matched == 6
    assert await found(desk, "-status:succeeded,skipped,resolved", limit=4) == failed


async def test_slices_of_an_index_follow_each_other(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed, "SLICE", 2)
    desk = await Desk(redis).open()
    made = [await emit(desk, f"A{n}") for n in range(7)]
    for event_id in made:
        await end(desk, event_id, Status.DEAD)
    for limit in (1, 2, 3, 100):
        ids = await found(desk, "status:dead", limit=limit)
        assert sorted(ids) == sorted(made)
    monkeypatch.setattr(listing, "MAX_LOOKED", 2)
    page = await desk.queue.page(wanted("status:dead account:nobody"), None, 5)
    assert page.items == []
    assert page.searched_to_ms is not None
    assert await found(desk, "status:dead account:A3") == [made[3]]


async def test_since_is_when_it_failed_of_failures_and_when_it_was_accepted_of_others(redis: Redis) -> None:
    desk = await Desk(redis).open()
    old, young, delivered = [await emit(desk, account) for account in "ABC"]
    await end(desk, old, Status.DEAD)
    await end(desk, young, Status.FAILED)
    await end(desk, delivered, Status.SUCCEEDED)
    now_ms = int((await redis.time())[0]) * 1000
    await failed_at(redis, old, Status.DEAD, now_ms - 3 * HOUR_MS)
    since = wanted("since:2h", now_ms)
    assert {item.event.id for item in (await desk.queue.page(since, None, 10)).items} == {young, delivered}
    failures = wanted("status:dead,failed since:2h", now_ms)
    assert [item.event.id for item in (await desk.queue.page(failures, None, 10)).items] == [young]
    until = wanted("status:dead,failed until:2h", now_ms)
    assert [item.event.id for item in (await desk.queue.page(until, None, 10)).items] == [old]
    assert (await desk.queue.count(until)).matched == 1


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


async def test_what_is_redelivered_or_resolved_is_no_failure_any_more(redis: Redis) -> None:
    desk = await Desk(redis).open()
    made = {status: await emit(desk, status.value) for status in FAILURES}
    for status, event_id in made.items():
        await end(desk, event_id, status)
    both = EventFilter(statuses=FAILURES)
    assert (await desk.queue.count(both)).matched == 3
    await desk.queue.redeliver(made[Status.FAILED], None)
    await desk.queue.resolve(made[Status.EXPIRED])
    assert await found(desk, "", statuses=FAILURES) == [made[Status.DEAD]]
    left = [await redis.zcard(name(HOME)) for name in candidates.FAILURE_KEYS.values()]
    assert left == [1, 0, 0]
    assert await found(desk, "status:queued") == [made[Status.FAILED]]


async def test_the_audit_counts_failures_and_names_those_that_are_listed_by_mistake(redis: Redis) -> None:
    desk = await Desk(redis).open()
    made = [await emit(desk, f"A{n}") for n in range(3)]
    for event_id, status in zip(made, (Status.DEAD, Status.EXPIRED, Status.SUCCEEDED), strict=True):
        await end(desk, event_id, status)
    report = await desk.store.recount()
    assert (report.well, report.failed) == (True, 2)
    await redis.zadd(keys.failed(HOME), {made[2]: 1, "00000000-0000-7000-8000-000000000003": 1})
    report = await desk.store.recount()
    assert report.broken == {made[2]: "it is SUCCEEDED but listed as FAILED"}


async def test_open_events_come_from_their_places(scene: tuple[Desk, dict[str, str]]) -> None:
    desk, ids = scene
    assert await found(desk, "status:queued,held,retrying") == [ids["queued"], ids["retry"]]
    await desk.claim()
    assert await found(desk, "status:delivering") == [ids["queued"]]
    await desk.settle(ids["queued"], Status.AWAITING_RESULT, 60_000)
    assert await found(desk, "status:awaiting_result") == [ids["queued"]]
    assert await found(desk, "status:delivering") == []


async def test_failures_of_an_older_version_are_listed_once_the_log_was_walked(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await emit(desk, "A")
    await end(desk, event_id, Status.FAILED)
    await redis.delete(keys.failed(HOME))
    assert await found(desk, "status:failed") == []
    _, repairs = (await desk.store.repair({HOME: REPAIR_START}))[HOME]
    assert repairs == 0
    assert await found(desk, "status:failed") == [event_id]


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


async def test_a_thousand_failures_cost_no_script_long(redis: Redis) -> None:
    desk = await Desk(redis, lane_cap=1000).open()
    made = [event_of(LANE, PARTITIONS, f"A{n}", payload={"x": "y" * 500}) for n in range(1000)]
    await desk.queue.accept(made)
    await desk.claim(1000)
    for at in range(0, 1000, 250):
        some = [desk.claimed[one.id] for one in made[at : at + 250]]
        await desk.worker.settle(HOME, [Settlement(one, Status.DEAD) for one in some])
    async with Watch(redis) as watch:
        page = await desk.queue.page(wanted("status:dead payload.x:z"), None, 50)
        assert (await desk.queue.count(wanted("status:dead error:X"))).matched == 0
    assert page.items == []
    assert watch.calls == 8
    assert watch.each_ms < MOST_MS / 5
