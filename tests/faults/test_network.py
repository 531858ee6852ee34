"""A network that cuts, slices and delays: what was unknown is asked again, and nothing happens twice."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.faults.client import client_of
from tests.faults.deployment import IMPATIENT, SOCKET_TIMEOUT_S, Deployment
from tests.faults.proxy import Act, Proxy, marker
from tests.hosts import Reply
from tests.waiting import until

pytestmark = pytest.mark.slow

CUTS = pytest.mark.parametrize("act", [Act.CUT, Act.CUT_AFTER], ids=["before", "after"])


@CUTS
@pytest.mark.parametrize("command", ["accept", "idem:"])
async def test_ft12_ft13_cut_while_accepting_leaves_one_event(deployment: Deployment, act: Act, command: str) -> None:
    integration = await deployment.integration()
    await deployment.worker()
    async with (
        Proxy("127.0.0.1", deployment.server.port) as proxy,
        client_of(deployment, integration, proxy.url) as client,
    ):
        await client.emitted("A", key="warm")
        trap = proxy.trap(marker("queue/accept") if command == "accept" else command.encode(), act)
        status, headers, body = await client.emit("A", key="one")
        assert (status, headers.get("Retry-After"), body["errors"][0]["code"]) == (503, "1", "unknown_outcome")
        assert trap.count == 1
        event_id = await client.emitted("A", key="one")
        assert await client.emitted("A", key="one") == event_id
    await deployment.all_succeed([event_id])
    assert sorted(deployment.arrivals().values()) == [1, 1]
    assert (await deployment.store.recount()).accepted == 2
    await deployment.assert_well()


@CUTS
@pytest.mark.parametrize("command", ["claim", "settle_and_claim", "own", "grant", "rest"])
async def test_ft12_ft13_cut_of_a_workers_command_delivers_each_event_once(
    deployment: Deployment, act: Act, command: str
) -> None:
    deployment.host.default = Reply(delay_s=0.02)
    integrations = [await deployment.integration() for _ in range(4)]
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:
        sent = marker(f"queue/{command}")
        traps = [proxy.trap(sent, act, times=3)]
        worker = await deployment.worker(proxy.url)
        ids: list[str] = []
        while command == "claim" and not traps[0].count:  # alone where nothing is settled, and no accept claims
            ids.append(await deployment.emit(await deployment.integration()))
            await deployment.all_succeed(ids[-1:])
        ids += await deployment.emit_many(integrations, 200, accounts=20)
        await deployment.host.wait_for(50)
        traps.append(proxy.trap(sent, act, times=3))
        await deployment.all_succeed(ids)
        assert deployment.arrivals() == dict.fromkeys(ids, 1)
        worker.signal(signal.SIGTERM)
        assert await worker.ended() == 0
        assert worker.errors() == []
        assert traps[0].count > 0
    counted = await deployment.queue.counters()
    assert counted["terminal:SUCCEEDED"] == len(ids)
    repairs = {name for name in counted if name.startswith("repairs:")}
    assert repairs <= {"repairs:job"}, "a cut may lose the job that hands a partition out, never an event's place"
    await deployment.assert_well()


async def test_ft17_bytes_that_come_one_at_a_time(deployment: Deployment) -> None:
    integration = await deployment.integration()
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:
        proxy.slice_bytes = 1
        await deployment.worker(proxy.url)
        async with client_of(deployment, integration, proxy.url) as client:
            ids = [await client.emitted("A", key=str(n)) for n in range(10)]
            await deployment.all_succeed(ids)
    assert deployment.sent_order() == ids
    await deployment.assert_well()


async def test_ft14_replies_later_than_the_time_out(deployment: Deployment) -> None:
    integration = await deployment.integration()
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:
        worker = await deployment.worker(proxy.url, code=IMPATIENT)
        warm = await deployment.emit(integration)
        await deployment.all_succeed([warm])
        proxy.reply_delay_s = SOCKET_TIMEOUT_S + 0.1
        event_id = await deployment.emit(integration)
        await asyncio.sleep(SOCKET_TIMEOUT_S + 2)
        proxy.reply_delay_s = 0.0
        await deployment.all_succeed([event_id], within_s=15)
        assert worker.alive
    assert deployment.arrivals()[warm] == 1
    await deployment.assert_well()


async def test_a_connection_cut_while_a_job_is_taken_up_does_not_end_the_worker(deployment: Deployment) -> None:
    """Symptom: redis-py calls it a WatchError, which ended the process."""
    integration = await deployment.integration()
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:
        trap = proxy.trap(b"EXISTS\r\n", Act.CUT, times=5)
        await deployment.worker()  # has every partition; those beyond its share are offered as jobs
        worker = await deployment.worker(proxy.url)
        await until(lambda: trap.count > 0)
        await deployment.all_succeed([await deployment.emit(integration)])
        assert worker.alive
        assert worker.errors() == []
    await deployment.assert_well()


async def test_replies_that_take_longer_than_a_lease_put_deliveries_off_and_do_not_end_them(
    deployment: Deployment,
) -> None:
    """Symptom: every event was claimed and given back, again and again, as if the worker had stood still."""
    integration = await deployment.integration()
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:
        await deployment.worker(proxy.url, LEASE="1")
        await deployment.all_succeed([await deployment.emit(integration)])
        proxy.reply_delay_s = 1.2
        ids = [await deployment.emit(integration, account=str(n)) for n in range(10)]
        await deployment.all_succeed(ids, within_s=15)
    await deployment.assert_well()


async def test_a_stopping_worker_repeats_a_settle_that_got_no_reply_for_as_long_as_it_drains(
    deployment: Deployment,
) -> None:
    """Symptom: it forgot how its last attempts had ended, and they were made again."""
    deployment.host.default = Reply(delay_s=0.5)
    integration = await deployment.integration()
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:
        worker = await deployment.worker(proxy.url)
        event_id = await deployment.emit(integration)
        await deployment.host.wait_for(1)
        either = ("queue/settle", "queue/settle_and_claim")  # the latter where the lease is to be renewed with it
        traps = [proxy.trap(marker(name), Act.CUT, times=3) for name in either]
        worker.signal(signal.SIGTERM)
        assert await worker.ended() == 0
        assert sum(trap.count for trap in traps) >= 3
    await deployment.worker()
    await deployment.all_succeed([event_id])
    assert deployment.arrivals() == {event_id: 1}
    await deployment.assert_well()
