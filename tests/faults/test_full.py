"""Redis that gets full: accepting stops first and says so, delivering goes on, and all is well once there is room."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from os import urandom
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession

from tests.faults.client import Client, client_of
from tests.faults.deployment import Deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MIB = 1024 * 1024
NOTICED_S = 30.0


async def limit_to(deployment: Deployment, ratio: float) -> None:
    """Make what is used now this share of ``maxmemory``."""
    used_bytes = (await deployment.redis.info("memory"))["used_memory"]
    await deployment.redis.config_set("maxmemory", int(used_bytes / ratio))


async def no_limit(deployment: Deployment) -> None:
    await deployment.redis.config_set("maxmemory", 0)


async def refused(
    client: Client, code: str, retry_after: str, fill: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Until an event is turned away; each that is not gets a key of its own.

    ``fill`` once in ten: what Redis uses falls again where some of it was a buffer of a moment.
    """
    async with asyncio.timeout(NOTICED_S):
        attempt = 0
        while True:
            if fill is not None and attempt % 10 == 0:
                await fill()
            attempt += 1
            status, headers, body = await client.emit("late", key=f"late-{attempt}")
            if status == 503 and body["errors"][0]["code"] == code:
                assert headers["Retry-After"] == retry_after
                return
            await asyncio.sleep(0.1)


async def page(client: Client, path: str) -> str:
    async with ClientSession() as session, session.get(f"{client.address}{path}") as answer:
        assert answer.status == 200
        return await answer.text()


def ratio(metrics: str) -> float:
    found = re.search(r"^dispatcher_store_memory_ratio (\S+)", metrics, re.MULTILINE)
    assert found
    return float(found[1])


async def test_ft18_accepting_stops_at_the_mark_while_deliveries_go_on(deployment: Deployment) -> None:
    integration = await deployment.integration()
    worker = await deployment.worker()
    async with client_of(deployment, integration) as client:
        await deployment.queue.pause(integration.id)
        ids = [await client.emitted(f"A{i}", key=f"k{i}") for i in range(30)]
        await refused(client, "store_full", "5", partial(limit_to, deployment, 0.93))
        status, _, body = await batch(client)
        assert (status, body["errors"][0]["code"]) == (503, "store_full")
        assert orjson.loads(await page(client, "/readyz"))["memory"]["accepting"] is False
        assert ratio(await page(client, "/metrics")) > 0.9
        await deployment.queue.resume(integration.id)
        await deployment.all_succeed(ids)
        await no_limit(deployment)
        await deployment.all_succeed([await client.emitted("A", key="room again")])
        assert orjson.loads(await page(client, "/readyz"))["memory"] == {"ratio": 0.0, "accepting": True}
        said = client.program.said()
    assert (said.count("store nearly full"), said.count("store has room again")) == (1, 1)
    assert worker.errors() == []
    await deployment.assert_well()


async def batch(client: Client) -> tuple[int, Any, Any]:
    return await client.post("/v1/events/batch", [{"type": "upgrade", "productId": "P", "payload": {"x": 1}}])


async def test_ft18_load_never_meets_the_limit_itself(deployment: Deployment) -> None:
    integrations = [await deployment.integration() for _ in range(4)]
    worker = await deployment.worker()
    await deployment.all_succeed(await deployment.emit_many(integrations, 8))
    async with client_of(deployment, integrations[0]) as client:
        used_bytes = (await deployment.redis.info("memory"))["used_memory"]
        await deployment.redis.config_set("maxmemory", used_bytes + 32 * MIB)
        accepted: list[str] = []

        async def pour(stream: int) -> str:
            for i in count():
                status, _, body = await client.emit(f"A{stream}", key=f"{stream}-{i}", filler=urandom(10_000).hex())
                if status != 202:
                    return str(body["errors"][0]["code"])
                accepted.append(body["id"])
            raise AssertionError

        ends = await asyncio.wait_for(asyncio.gather(*(pour(stream) for stream in range(8))), 100)
        assert set(ends) == {"store_full"}
        assert "errorstat_OOM" not in await deployment.redis.info("errorstats")
        await deployment.all_succeed(accepted, within_s=40)
        await no_limit(deployment)
        await deployment.all_succeed([await client.emitted("A", key="room again")])
    assert worker.errors() == []
    await deployment.assert_well()


async def test_ft18_bi50_at_the_limit_itself_even_a_new_worker_delivers(deployment: Deployment) -> None:
    integration = await deployment.integration()
    lost = await deployment.worker()
    async with client_of(deployment, integration, MEMORY_HIGH_WATER="0") as client:
        await deployment.queue.pause(integration.id)
        ids = [await client.emitted(f"A{i}", key=f"k{i}") for i in range(30)]
        await limit_to(deployment, 1.1)
        await refused(client, "unknown_outcome", "1")
        lost.kill()
        worker = await deployment.worker()
        await deployment.queue.resume(integration.id)
        await deployment.all_succeed(ids)
        assert "upkeep broke off" not in worker.said()
        await no_limit(deployment)
        await deployment.all_succeed([await client.emitted("A", key="room again")])
    assert worker.alive
    assert worker.errors() == []
    assert set(deployment.arrivals().values()) == {1}
    await deployment.assert_well()
