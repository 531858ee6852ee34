"""Anything dead, slow, full or stopping holds up nothing else, and loses nothing."""

from __future__ import annotations

import asyncio
import time

import pytest

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.events.acting.conclude import Conclusions
from dispatcher.model.attempt import Outcome
from dispatcher.model.integration import LaneLimits
from dispatcher.model.status import Status
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.conftest import Shop


async def _circuits_open(shop: Shop) -> int:
    return (await shop.queue.overview()).circuits_open


async def _shared_evenly(shop: Shop) -> bool:
    return {len(worker.partitions) for worker in (await shop.queue.overview()).workers} == {2}


async def test_a_circuit_opens_and_its_deferral_uses_up_no_attempts(shop: Shop) -> None:
    await shop.host.stop()
    integration = await shop.integration(schedule_s=(0.05,) * 10, limits=LaneLimits(concurrency=1))
    ids = [await shop.emit(integration, account=str(i)) for i in range(3)]
    began_s, open_s = time.monotonic(), 0.5
    await shop.work(circuit_failures=2, circuit_open=open_s)
    await until(lambda: _circuits_open(shop))
    await asyncio.sleep(0.3)
    tried = len(await shop.attempts(ids))
    assert tried <= 3 + (time.monotonic() - began_s) // open_s, "more than one probed each time"
    await shop.host.start(shop.host.port)
    for event_id in ids:
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED


async def test_one_dead_host_does_not_delay_another(shop: Shop) -> None:
    dead = await shop.integration({"upgradeUrl": shop.host.url("/dead")})
    good = await shop.integration({"upgradeUrl": shop.host.url("/good")})
    shop.host.by_path["/dead"] = Reply(hang=True)
    await shop.work(concurrency=200, request_timeout=30.0, drain_timeout=0.5)
    for i in range(100):
        await shop.emit(dead, account=str(i))
    await asyncio.sleep(0.5)
    async with asyncio.timeout(10):  # a third of what the dead host may take
        for event_id in [await shop.emit(good, account=str(i)) for i in range(20)]:
            await shop.ended(event_id)


async def test_a_backlog_in_one_partition_starves_no_other(shop: Shop) -> None:
    lanes = [await shop.integration({"upgradeUrl": shop.host.url(f"/{i}")}) for i in range(12)]
    shop.host.default = Reply(delay_s=0.01)
    for lane in lanes:
        for i in range(40):
            await shop.emit(lane, account=str(i))
    await shop.work(concurrency=1)
    await shop.host.wait_for(120)
    assert len({request.path for request in shop.host.requests[:120]}) == len(lanes)


async def test_a_stopping_worker_finishes_what_runs_and_another_takes_over(shop: Shop) -> None:
    shop.host.default = Reply(delay_s=0.3)
    integration = await shop.integration()
    ids = [await shop.emit(integration, account=str(i)) for i in range(40)]
    stop = await shop.work()
    await shop.host.wait_for(5)
    stop.set()
    await shop.workers[0][1]
    shop.workers.clear()
    await shop.assert_well()
    assert (await shop.queue.overview()).in_flight == 0
    await shop.work()
    for event_id in ids:
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert len(shop.host.requests) == 40


async def test_two_workers_share_the_partitions_and_deliver_once(shop: Shop) -> None:
    integrations = [await shop.integration() for _ in range(12)]
    await shop.work()
    await shop.work()
    await until(lambda: _shared_evenly(shop))
    ids = [await shop.emit(integrations[i % 12], account=str(i % 20)) for i in range(200)]
    for event_id in ids:
        await shop.ended(event_id)
    seen = [(r.headers["webhook-id"], r.headers["x-delivery-attempt"]) for r in shop.host.requests]
    assert len(seen) == len(set(seen)) == 200
    await shop.assert_well()


async def test_ft18_full_memory_refuses_new_events_and_delivers_old_ones(shop: Shop) -> None:
    integration = await shop.integration()
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await shop.queue.pause(integration.id)
    event_id = await shop.emit(integration)
    await shop.redis.config_set("maxmemory", 1_000_000)
    try:
        with pytest.raises(StoreUnavailable):
            await shop.emit(integration)
        await shop.queue.resume(integration.id)
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    finally:
        await shop.redis.config_set("maxmemory", 0)
    assert (await shop.ended(await shop.emit(integration))).state.status is Status.SUCCEEDED


async def test_a_nudge_that_overtakes_the_claims_answer_is_not_forgotten(shop: Shop) -> None:
    """Symptom: with arrivals while the owner asked, events lay ready until its idle poll a second later."""
    integrations = [await shop.integration() for _ in range(4)]
    await shop.work()
    await shop.ended(await shop.emit(integrations[0]))
    emitted: dict[str, float] = {}
    for i in range(200):
        event_id = await shop.emit(integrations[i % 4], account=str(i))
        emitted[event_id] = time.monotonic()
        await asyncio.sleep(0.004)
    await shop.host.wait_for(201)
    late = [
        request.arrived_s - emitted[request.headers["webhook-id"]]
        for request in shop.host.requests
        if request.headers["webhook-id"] in emitted
    ]
    assert sum(1 for waited_s in late if waited_s > 0.3) < 10


async def test_a_remembered_token_failure_uses_up_no_attempt(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Symptom: with a short schedule, an outage of the token endpoint of two seconds ended in a dead letter."""
    monkeypatch.setattr("worker.oauth.slot.FAILURE_MEMORY_S", 1.0)
    shop.host.tokens.replies.extend([Reply(500, b"")])
    event_id = await shop.emit(await shop.integration(oauth2=True, schedule_s=(0.1, 0.1)))
    await shop.work()
    stored = await shop.ended(event_id)
    assert (stored.state.status, stored.state.attempts) == (Status.SUCCEEDED, 2)
    attempts = await shop.attempts([event_id])
    assert [a.outcome for a in attempts] == [Outcome.TOKEN_FAILED, Outcome.OK]


async def test_a_lost_job_is_handed_out_again_and_counted_but_a_restart_is_not_a_repair(shop: Shop) -> None:
    integration = await shop.integration()
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await shop.stop_all()
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await shop.stop_all()
    assert "repairs:job" not in await shop.queue.counters()
    event_id = await shop.emit(integration)
    for key in await shop.redis.keys("arq:*"):
        await shop.redis.delete(key)
    await shop.redis.delete("dispatcher:jobs")
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert (await shop.queue.counters())["repairs:job"] >= 1
    await shop.assert_well()


async def test_ownership_does_not_wait_for_overdue_results_to_be_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Symptom: a hundred of each partition came before the next heartbeat, and before partitions without an owner."""
    begun, never = asyncio.Event(), asyncio.Event()

    async def hang(self: Conclusions, event_id: str) -> bool:
        begun.set()
        await never.wait()
        return False

    monkeypatch.setattr(Conclusions, "expire", hang)
    other = await shop.integration()
    shop.host.by_path["/notifications"] = Reply(202, b"")
    late = await shop.integration(result_deadline_s=0.05)
    await shop.work()
    await shop.status(await shop.emit(late), Status.AWAITING_RESULT)
    await begun.wait()
    shop.host.by_path.clear()
    number = shop.queue.partition_of(other.id)
    await shop.redis.hset(f"{{p{number}}}:own", mapping={"until": 0, "gen": 7})  # type: ignore[misc]
    assert (await shop.ended(await shop.emit(other))).state.status is Status.SUCCEEDED
    never.set()


async def test_after_an_outage_what_has_gathered_comes_gently(shop: Shop) -> None:
    """Symptom: with 200 accounts waiting, all 200 left within 0.3 s of the first probe."""
    port = shop.host.port
    integration = await shop.integration(schedule_s=(0.1,) * 50)
    await shop.host.stop()
    await shop.work(circuit_failures=2, circuit_open=0.5)
    ids = [await shop.emit(integration, account=str(n)) for n in range(16)]
    await until(lambda: _circuits_open(shop))
    await shop.host.start(port)
    for event_id in ids:
        assert (await shop.ended(event_id, 30)).state.status is Status.SUCCEEDED
    arrived = [request.arrived_s for request in shop.host.requests]
    assert len(arrived) == 16
    within = [sum(at < arrived[0] + second for at in arrived) for second in (0.3, 1, 2)]
    assert within[0] <= 3
    assert within[1] <= 5
    assert within[2] <= 11
    await shop.assert_well()
