"""Cost of reads to all others: connections, turns, and nothing once its caller has left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, web
from redis.asyncio import Redis

from dispatcher.api.app import READ_CONNECTIONS, build_app
from dispatcher.api.http.aiohttp_inside.protocols import protocol_factory
from dispatcher.api.http.overload.turns import READS, TURNS
from dispatcher.api.rest.events.reading.stream import FEED
from dispatcher.api.services import SERVICES, Services
from dispatcher.model.integration import Revision
from dispatcher.model.status import Status
from tests.api.conftest import PRODUCT, Api, Start, api_settings, basic, publish
from tests.api.worker_hand import WorkerHand
from tests.serving import close
from tests.store_commands import counted
from tests.waiting import until

LIST = "/v1/events?limit=10"


@asynccontextmanager
async def every_read_connection_taken(services: Services) -> AsyncIterator[None]:
    """Reads wait for a connection meanwhile."""
    pool: Any = services.reads._client.connection_pool
    taken = [await pool.get_connection() for _ in range(READ_CONNECTIONS)]
    try:
        yield
    finally:
        for connection in taken:
            await pool.release(connection)


async def test_accepting_goes_on_while_reads_have_every_connection_of_theirs(api: Api) -> None:
    async with every_read_connection_taken(api.services):
        asked = [asyncio.create_task(api.ask("GET", path)) for path in (LIST, "/v1/queue", "/metrics")]
        await api.emit()
        assert not any(one.done() for one in asked)
    assert [(await one).status for one in asked] == [200, 200, 200]


async def test_lists_of_one_client_take_the_turns_of_no_other(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = api.http.app[TURNS]
    monkeypatch.setattr(counted, "_room", replace(READS, waiting_of_one=1))
    other = await api.bearer_of_new("events:read")
    async with every_read_connection_taken(api.services):
        asked = [asyncio.create_task(api.ask("GET", LIST)) for _ in range(READS.of_one + 1)]
        await until(lambda: counted.running == READS.of_one and counted.waiting == 1)
        body = await api.refused("GET", LIST, 429, "too_many_at_once")
        assert "repeat" in body["errors"][0]["message"]
        others = asyncio.create_task(api.ask("GET", LIST, headers=other))
        await until(lambda: counted.running == READS.of_one + 1)
    assert {(await one).status for one in [*asked, others]} == {200}
    await until(lambda: counted.running == 0)


@asynccontextmanager
async def serving(redis: Redis) -> AsyncIterator[tuple[web.Application, int]]:
    """The API on the connections that it has in production."""
    app = await build_app(api_settings(), redis)
    runner = web.AppRunner(app)
    await runner.setup()
    assert runner.server is not None
    server = await asyncio.get_running_loop().create_server(protocol_factory(app, runner.server), "127.0.0.1", 0)
    try:
        yield app, server.sockets[0].getsockname()[1]
    finally:
        await close(server)
        await runner.cleanup()


async def test_a_list_ends_with_its_caller(start: Start, redis: Redis) -> None:
    api = await start()
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    async with serving(redis) as (app, port):
        token = await _token(port, client.client_id, secret)
        async with every_read_connection_taken(app[SERVICES]):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET {LIST} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            await until(lambda: app[TURNS].running == 1)
            writer.close()
            await writer.wait_closed()
            await until(lambda: app[TURNS].running == 0)


async def _token(port: int, client_id: str, secret: str) -> Any:
    async with (
        ClientSession() as http,
        http.post(
            f"http://127.0.0.1:{port}/oauth2/token",
            data={"grant_type": "client_credentials"},
            headers=basic(client_id, secret),
        ) as answer,
    ):
        return (await answer.json())["access_token"]


async def test_all_who_wait_for_an_event_are_told_by_one_look(api: Api) -> None:
    feed, hand = api.http.app[FEED], WorkerHand(api)
    event_id = (await api.emit())["id"]
    async with counted(api.redis) as commands:
        waiting = [asyncio.create_task(api.ask("GET", f"/v1/events/{event_id}?wait=30")) for _ in range(40)]
        await until(lambda: feed.followers == len(waiting))
        await hand.settle(event_id, Status.SUCCEEDED, http_status=200)
        answers = await asyncio.gather(*waiting)
    assert {(await one.json())["status"] for one in answers} == {"SUCCEEDED"}
    assert commands.calls["evalsha"] < 2 * len(waiting) + 20  # each looked twice before it began to wait


async def test_waiting_ends_with_the_caller(start: Start, redis: Redis) -> None:
    api = await start()
    await publish(api.services, Revision(urls={}), products=(PRODUCT,))
    event_id = (await api.emit())["id"]
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    async with serving(redis) as (app, port):
        token = await _token(port, client.client_id, secret)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        path = f"/v1/events/{event_id}?wait=30"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        await until(lambda: app[FEED].is_read)
        writer.close()
        await writer.wait_closed()
        await until(lambda: not app[FEED].is_read)
