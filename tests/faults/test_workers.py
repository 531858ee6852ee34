"""Workers that are killed, frozen and stopped: what they had is delivered by others, and nothing is recorded twice."""

from __future__ import annotations

import asyncio
import signal

import pytest

from dispatcher.model.status import Status
from dispatcher.store.jobs import JobQueue, job_client
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from tests.faults.deployment import FULL, LEASE_S, PARTITIONS, Deployment, in_time
from tests.faults.proxy import Act, Proxy, Trap
from tests.hosts import Received, Reply
from tests.waiting import until

pytestmark = pytest.mark.slow

UNHURRIED = {"LEASE": "30", "DRAIN_TIMEOUT": "60"}
"""For workers of which none is taken for dead, and none gives up what runs, because this machine stood still."""


async def test_ft1_worker_killed_while_its_post_is_in_flight(deployment: Deployment) -> None:
    deployment.host.replies.append(Reply(delay_s=60))
    integration = await deployment.integration()
    await deployment.worker(LEASE="60")  # found by what its end leaves behind
    await deployment.worker(LEASE="60")
    event_id = await deployment.emit(integration)
    await deployment.host.wait_for(1)
    await _heard_each_other(deployment)
    (await deployment.owning_worker(integration)).kill()
    first, second = await deployment.host.wait_for(2, timeout_s=30)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == event_id
    await deployment.all_succeed([event_id])
    attempts = await deployment.queue.attempts(event_id)
    assert attempts is not None
    assert [attempt.outcome.value for attempt in attempts] == ["STARTED", "OK"]
    await deployment.assert_well()


async def _heard_each_other(deployment: Deployment) -> None:
    """Until each of two workers has looked while both listened: each look is a heartbeat, the second ends the first."""
    beats: dict[bytes, set[float]] = {}

    async def both() -> bool:
        now = dict(await deployment.redis.zrange(deployment_keys.WORKERS, 0, -1, withscores=True))
        channels = [queue_keys.nudge_channel(worker.decode()) for worker in now]
        if not all(count for _, count in await deployment.redis.pubsub_numsub(*channels)):
            return False
        for worker, beat_ms in now.items():
            beats.setdefault(worker, set()).add(beat_ms)
        return len(beats) == 2 and all(len(seen) > 2 for seen in beats.values())

    await until(both, 30)


@pytest.mark.parametrize(("act", "sent"), [(Act.STALL, 2), (Act.CUT_AFTER, 1)], ids=["not written", "written"])
async def test_ft2_worker_killed_between_the_answer_and_its_settle(deployment: Deployment, act: Act, sent: int) -> None:
    integration = await deployment.integration()
    traps: list[Trap] = []
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:

        def answer(request: Received) -> Reply:
            """From its arrival on, the first to name the event to Redis is its settle."""
            traps.append(proxy.trap(request.headers["webhook-id"].encode(), act, times=1000))
            return Reply()

        doomed = await deployment.worker(proxy.url)
        warm = await deployment.emit(integration)
        await deployment.all_succeed([warm])
        deployment.host.default = answer
        event_id = await deployment.emit(integration)
        await until(lambda: bool(traps) and traps[0].sprung.is_set())
        doomed.kill()
    await deployment.worker()
    await deployment.all_succeed([event_id])
    assert deployment.arrivals() == {warm: 1, event_id: sent}
    await deployment.assert_well()


async def test_ft3_workers_stopped_one_after_another_under_load(deployment: Deployment) -> None:
    deployment.host.default = Reply(delay_s=0.05)
    integrations = [await deployment.integration() for _ in range(8)]
    workers = [await deployment.worker(**UNHURRIED) for _ in range(3)]
    ids = await deployment.emit_many(integrations, 1500, accounts=150)
    for worker in workers:
        await asyncio.sleep(1.5)
        worker.signal(signal.SIGTERM)
        assert await worker.ended(within_s=in_time(7)) == 0
        await deployment.worker(**UNHURRIED)
    await deployment.all_succeed(ids, within_s=60)
    seen = [(r.headers["webhook-id"], r.headers["x-delivery-attempt"]) for r in deployment.host.requests]
    assert len(seen) == len(set(seen)) == len(ids)
    await deployment.assert_well()


async def test_ft3_a_worker_that_is_stopping_is_not_taken_for_lost(deployment: Deployment) -> None:
    integration = await deployment.integration()
    for _ in range(2):
        await deployment.worker(**UNHURRIED)
    await deployment.all_succeed([await deployment.emit(integration)])
    await _heard_each_other(deployment)
    deployment.host.replies.append(Reply(delay_s=2))
    event_id = await deployment.emit(integration)
    await deployment.host.wait_for(2)
    stopping = await deployment.owning_worker(integration)
    stopping.signal(signal.SIGTERM)
    assert await stopping.ended(within_s=60) == 0
    await deployment.all_succeed([event_id])
    assert deployment.arrivals()[event_id] == 1
    attempts = await deployment.queue.attempts(event_id)
    assert attempts is not None
    assert [attempt.outcome.value for attempt in attempts] == ["OK"]
    await deployment.assert_well()


async def test_ft3_accounts_beside_a_slow_one_go_on_while_its_worker_stops(deployment: Deployment) -> None:
    """Another owns the partition meanwhile; who stops settles what it had begun, and then the account goes on."""
    answers = asyncio.Event()
    deployment.host.replies.append(Reply(after=answers))
    integration = await deployment.integration()
    for _ in range(2):
        await deployment.worker(**UNHURRIED, REQUEST_TIMEOUT="300")
    slow = await deployment.emit(integration, account="slow")
    await deployment.host.wait_for(1)
    behind = await deployment.emit(integration, account="slow")
    stopping = await deployment.owning_worker(integration)
    stopping.signal(signal.SIGTERM)
    await stopping.heard("(worker stopping)")
    others = [await deployment.emit(integration, account=f"other-{n}") for n in range(5)]
    await deployment.all_succeed(others, within_s=60)
    assert await deployment.owning_worker(integration) is not stopping
    assert stopping.alive
    assert deployment.arrivals().keys() == {slow, *others}, "what is behind the slow one waits"
    answers.set()
    await deployment.all_succeed([slow, behind], within_s=60)
    assert await stopping.ended(within_s=60) == 0
    assert set(deployment.arrivals().values()) == {1}
    for event_id in (slow, behind):
        attempts = await deployment.queue.attempts(event_id)
        assert [attempt.outcome.value for attempt in attempts or ()] == ["OK"]
    await deployment.assert_well()


async def test_ft3_a_worker_killed_while_it_stops_leaves_its_attempts_to_who_owns_the_partition(
    deployment: Deployment,
) -> None:
    deployment.host.replies.append(Reply(hang=True))
    integration = await deployment.integration()
    for _ in range(2):
        await deployment.worker(DRAIN_TIMEOUT="60", REQUEST_TIMEOUT="300")
    slow = await deployment.emit(integration, account="slow")
    await deployment.host.wait_for(1)
    stopping = await deployment.owning_worker(integration)
    stopping.signal(signal.SIGTERM)
    other = await deployment.emit(integration, account="other")
    await deployment.all_succeed([other], within_s=60)
    stopping.kill()
    await deployment.all_succeed([slow], within_s=60)
    attempts = await deployment.queue.attempts(slow)
    assert [attempt.outcome.value for attempt in attempts or ()] == ["STARTED", "OK"]
    await deployment.assert_well()


async def test_ft3_others_look_no_more_for_a_worker_that_is_stopping(deployment: Deployment) -> None:
    deployment.host.replies.append(Reply(delay_s=60))
    integration = await deployment.integration()
    await deployment.worker(**UNHURRIED)
    event_id = await deployment.emit(integration)
    await deployment.host.wait_for(1)
    stopping = await deployment.owning_worker(integration)
    stopping.signal(signal.SIGTERM)

    async def signed_off() -> bool:
        return not await deployment.redis.zcard(deployment_keys.WORKERS)

    await until(signed_off, 30)
    assert stopping.alive  # and still waits for its host
    stopping.signal(signal.SIGTERM)
    await stopping.ended(within_s=60)
    await deployment.worker()
    await deployment.all_succeed([event_id], within_s=60)
    await deployment.assert_well()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_ft4_a_second_signal_ends_the_drain(deployment: Deployment, second: signal.Signals) -> None:
    deployment.host.replies.append(Reply(delay_s=60))
    integration = await deployment.integration()
    impatient = await deployment.worker(DRAIN_TIMEOUT="60")
    event_id = await deployment.emit(integration)
    await deployment.host.wait_for(1)
    impatient.signal(signal.SIGTERM)
    await impatient.heard(r"(worker stopping)")
    assert impatient.alive
    impatient.signal(second)
    await impatient.ended(within_s=30)
    assert impatient.errors() == []
    await deployment.worker()
    await deployment.all_succeed([event_id], within_s=LEASE_S + 6)
    await deployment.assert_well()


async def test_ft5_worker_frozen_past_its_lease_changes_nothing_when_it_wakes(deployment: Deployment) -> None:
    deployment.host.replies.append(Reply(delay_s=LEASE_S))  # its answer waits until the worker wakes
    integration = await deployment.integration()
    frozen = await deployment.worker()
    event_id = await deployment.emit(integration)
    await deployment.host.wait_for(1)
    frozen.signal(signal.SIGSTOP)
    other = await deployment.worker()
    await deployment.all_succeed([event_id])
    await asyncio.sleep(max(0.0, 3 * LEASE_S - 4))
    before = await deployment.queue.get(event_id)
    frozen.signal(signal.SIGCONT)
    await asyncio.sleep(2)
    assert await deployment.queue.get(event_id) == before
    assert deployment.arrivals() == {event_id: 2}
    assert frozen.alive
    other.kill()
    await deployment.all_succeed([await deployment.emit(integration)], within_s=LEASE_S + 6)
    await deployment.assert_well()


async def test_kill_of_a_worker_with_1000_events_in_flight_costs_10_s_at_most(deployment: Deployment) -> None:
    def first_try_hangs(request: Received) -> Reply:
        return Reply(hang=request.headers["x-delivery-attempt"] == "1")

    deployment.host.default = first_try_hangs
    integrations = [await deployment.integration() for _ in range(40)]
    doomed = await deployment.worker(CONCURRENCY="1024", LEASE="5")
    ids = await deployment.emit_many(integrations, 1000)
    await deployment.host.wait_for(1000, timeout_s=30)
    assert (await deployment.queue.overview()).in_flight == 1000
    await deployment.worker(CONCURRENCY="1024", LEASE="5")
    doomed.kill()
    recovered_s = await deployment.all_succeed(ids)
    print(f"1,000 events in flight under kill -9: all delivered by another worker after {recovered_s:.1f} s")
    assert recovered_s < 10 or not FULL
    assert set(deployment.arrivals().values()) == {2}
    report = await deployment.store.recount()
    assert report.well
    assert (report.accepted, report.terminal, report.open) == (1000, 1000, 0)


async def test_drains_of_dead_workers_do_not_keep_partitions_from_the_living(deployment: Deployment) -> None:
    """arq keeps the job of a killed worker as `in progress` for a day: enough of them would hide every new one."""
    integration = await deployment.integration()
    client = job_client(deployment.server.url)
    jobs = JobQueue(client)
    for generation in range(1, 400):
        for partition in range(PARTITIONS):
            await jobs.drain(partition, generation)
            await deployment.redis.set(f"arq:in-progress:drain:{partition}:{generation}", b"1", ex=86_400)
    await client.aclose(close_connection_pool=True)
    await deployment.worker()
    event_id = await deployment.emit(integration)
    assert (await deployment.status(event_id, Status.SUCCEEDED)).state.attempts == 1
