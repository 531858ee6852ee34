"""Redis that comes back with less than it confirmed: whoever runs it is told what is missing, and work goes on."""

from __future__ import annotations

import shutil
import time
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession

from dispatcher.store.health.doctor.examination import examine
from dispatcher.store.health.doctor.findings import Level
from tests.faults.client import PRODUCT, Client, client_of
from tests.faults.deployment import PARTITIONS, Deployment
from tests.faults.processes import Watched
from tests.waiting import until

pytestmark = pytest.mark.slow


async def reported(program: Watched) -> dict[str, Any]:
    """The one loss that a process tells of."""
    await program.heard(r"(data loss)")
    told = [orjson.loads(line) for line in program.said().splitlines() if "data loss" in line]
    assert len(told) == 1
    return dict(told[0])


async def read(client: Client, path: str) -> str:
    async with ClientSession() as session, session.get(f"{client.address}{path}") as answer:
        assert answer.status == 200
        return await answer.text()


async def let_in_again(client: Client, within_s: float = 10.0) -> None:
    async def let_in() -> bool:
        await client.log_in()
        return True

    await until(let_in, within_s, despite=AssertionError)


async def test_ft9_redis_comes_back_empty(deployment: Deployment) -> None:
    worker = await deployment.worker()
    async with client_of(deployment, await deployment.integration()) as client:
        await deployment.all_succeed([await client.emitted(f"A{i}", key=f"before-{i}") for i in range(10)])
        await deployment.signed()
        deployment.server.kill()
        shutil.rmtree(deployment.server.folder / "appendonlydir")
        deployment.server.start()
        for program in (worker, client.program):
            assert (await reported(program))["survived_ms"] == 0
        await let_in_again(client)
        assert orjson.loads(await read(client, "/readyz"))["dataLoss"]["since"] is None
        assert "dispatcher_store_losses_total 1.0" in await read(client, "/metrics")
        findings = {check.name: check for check in await examine(deployment.redis, PARTITIONS, [deployment.key])}
        assert findings["data loss"].level is Level.FAIL
        await deployment.definitions.link(PRODUCT, (await deployment.integration()).id, 3)
        after = [await client.emitted(f"A{i}", key=f"after-{i}") for i in range(10)]
        await deployment.all_succeed(after)
        _, client.address = await deployment.api()
        await deployment.all_succeed([await client.emitted("A1", key="another process knows the token")])
        assert client.program.alive
    assert worker.alive
    assert worker.said().count("worker started") == 1
    assert worker.said().count("data loss") == 1
    await deployment.assert_well()


async def test_ft45_an_old_append_only_file_is_restored(deployment: Deployment) -> None:
    worker = await deployment.worker()
    integration = await deployment.integration()
    async with client_of(deployment, integration) as client:
        done = [await client.emitted(f"A{i}", key=f"done-{i}") for i in range(5)]
        await deployment.all_succeed(done)
        await deployment.queue.pause(integration.id)
        waiting = [await client.emitted(f"A{i}", key=f"waiting-{i}") for i in range(5)]
        await deployment.signed()
        saved, backup = deployment.folder / "appendonlydir", deployment.folder / "backup"
        shutil.copytree(saved, backup)
        saved_ms = time.time() * 1000
        await deployment.queue.resume(integration.id)
        since = [await client.emitted(f"B{i}", key=f"since-{i}") for i in range(5)]
        await deployment.all_succeed([*waiting, *since])
        await deployment.signed()
        deployment.server.kill()
        shutil.rmtree(saved)
        shutil.move(backup, saved)
        deployment.server.start()
        for program in (worker, client.program):
            loss = await reported(program)
            assert saved_ms - 2000 < loss["survived_ms"] <= saved_ms < loss["noticed_ms"]
        await deployment.queue.resume(integration.id)
        await deployment.all_succeed([*done, *waiting])
        assert [await deployment.queue.get(event_id) for event_id in since] == [None] * 5
        again = [await client.emitted(f"B{i}", key=f"since-{i}") for i in range(5)]
        await deployment.all_succeed(again)
    expected = dict.fromkeys(done + since + again, 1) | dict.fromkeys(waiting, 2)
    assert deployment.arrivals() == expected
    assert worker.alive
    await deployment.assert_well()
