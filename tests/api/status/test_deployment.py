"""Problems of the deployment itself over HTTP, each produced on purpose and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatcher.model.operational import OPERATIONS
from dispatcher.model.troubles import StuckJob
from dispatcher.policy.verdict.trends import Reading
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import installations as installation_keys
from dispatcher.store.keys import queue as queue_keys
from tests.api.status.ward import Ward


async def test_no_worker_is_named_with_what_waits(ward: Ward) -> None:
    await ward.api.emit()
    await ward.redis.zadd(deployment_keys.WORKERS, {"w1": await ward.now() - 11_000})
    problem = await ward.named("no_worker")
    assert (problem["severity"], problem["waiting"]) == ("page", 1)


async def test_a_partition_without_an_owner_is_named_although_a_worker_lives(ward: Ward) -> None:
    await ward.api.emit()
    await ward.redis.hset(queue_keys.own(ward.home), "until", str(await ward.now() - 11_000))  # type: ignore[misc]
    assert (await ward.named("no_worker"))["text"].startswith("1 partition has no worker since")


async def test_events_that_nobody_takes_are_overdue(ward: Ward) -> None:
    await ward.api.emit()
    late_ms = await ward.now() - 61_000
    (event_id,) = await ward.redis.zrange(queue_keys.due(ward.home, ward.lane), 0, 0)
    await ward.redis.zadd(queue_keys.due(ward.home, ward.lane), {event_id: late_ms})
    await ward.redis.zadd(queue_keys.lanes(ward.home), {ward.lane: late_ms})
    assert "1 event is due for 61 s" in (await ward.named("overdue"))["text"]


async def test_losses_and_counts_that_do_not_agree_page(ward: Ward) -> None:
    now_ms = await ward.now()
    loss = f'{{"survived_ms":{now_ms - 60_000},"noticed_ms":{now_ms},"noticed_by":"api"}}'
    await ward.redis.hset(deployment_keys.LOSSES, str(now_ms), loss)  # type: ignore[misc]
    assert (await ward.named("data_loss"))["severity"] == "page"
    await ward.redis.hincrby(queue_keys.counters(0), "accepted", 2)  # type: ignore[misc]
    await ward.judged()
    assert "2 events missing" in (await ward.named("audit_broken"))["text"]


async def test_a_repair_is_named_for_an_hour(ward: Ward) -> None:
    await ward.judged()
    await ward.redis.hincrby(queue_keys.counters(0), "repairs:job", 1)  # type: ignore[misc]
    assert "needed 1 repair" in (await ward.named("repaired"))["text"]


async def test_a_full_store_is_named(ward: Ward) -> None:
    pressure = ward.watch.evaluation.collector.sources.pressure
    pressure.full = True
    try:
        assert (await ward.named("store_pressure"))["severity"] == "page"
    finally:
        pressure.full = False


async def test_emits_that_fail_by_our_fault_page(ward: Ward) -> None:
    for status in (202, 202, 503, 503, 503, 503, 503):
        ward.watch.emits.count(status)
    await ward.watch.once()
    assert "5 of 7" in (await ward.named("accept_failing"))["text"]


async def test_values_under_an_older_key_long_updates_and_stuck_jobs_are_named(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ward.redis.set(definition_keys.SEALED_STALE, 2)
    await ward.redis.zadd(installation_keys.UPDATES, {"n1": await ward.now() - 3_600_001})
    said = await ward.judged()
    assert {one["kind"] for one in said["problems"]} == {"keys_stale", "update_locked"}


async def test_operators_that_take_nothing_are_named(ward: Ward) -> None:
    home = ward.api.services.queue.partition_of(OPERATIONS)
    await ward.redis.sadd(queue_keys.troubled(home), OPERATIONS)  # type: ignore[misc]
    await ward.redis.hset(queue_keys.trouble(home, OPERATIONS), "since", str(await ward.now() - 300_001))  # type: ignore[misc]
    said = await ward.judged()
    assert [one["kind"] for one in said["problems"]] == ["operations_failing"]


async def test_a_clock_that_is_wrong_is_named(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.clock.StoreClock.machine_ahead_s", lambda _: 5.0)
    assert "5 s ahead of" in (await ward.named("clock"))["text"]


async def test_a_redelivery_that_stands_still_is_named(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody works on it: the process that claimed it is lost, and no other took it over."""
    monkeypatch.setattr("dispatcher.policy.verdict.upkeep.STUCK_MS", 0)
    collector = ward.watch.evaluation.collector

    async def running() -> list[StuckJob]:
        return [StuckJob("job-1", 0, 7, 1200)]

    collector.sources = replace(collector.sources, redeliveries=running)
    assert "job-1 stands at 7 of 1,200" in (await ward.named("redelivery_stuck"))["text"]


async def test_a_backlog_that_grows_is_named(ward: Ward) -> None:
    await ward.api.emit()
    now_ms = await ward.now()
    trends = ward.watch.evaluation.collector.trends
    trends.readings = [Reading(now_ms - minute * 60_000, {}, 0) for minute in range(11, 0, -1)]
    for n, reading in enumerate(trends.readings):
        trends.readings[n] = replace(reading, backlog=n - 11)
    assert "Arrives faster than it leaves" in (await ward.named("backlog"))["text"]
