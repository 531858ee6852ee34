"""Failures in the store: found newest first, as long as they are failures, at a bounded cost."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.model.queue import EventFilter
from dispatcher.model.status import FAILURES, Status
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.claims import Settlement
from dispatcher.store.queue.owning.partition import REPAIR_START
from dispatcher.store.queue.search import candidates, indexed, listing
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk
from tests.store.searching import emit, end, found, wanted
from tests.store.test_script_cost import MOST_MS, Watch

HOUR_MS = 3_600_000


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


async def test_failures_of_an_older_version_are_listed_once_the_log_was_walked(redis: Redis) -> None:
    desk = await Desk(redis).open()
    event_id = await emit(desk, "A")
    await end(desk, event_id, Status.FAILED)
    await redis.delete(keys.failed(HOME))
    assert await found(desk, "status:failed") == []
    _, repairs = (await desk.store.repair({HOME: REPAIR_START}))[HOME]
    assert repairs == 0
    assert await found(desk, "status:failed") == [event_id]


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
