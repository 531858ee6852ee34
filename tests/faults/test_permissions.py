"""The documented user suffices for a whole deployment; what is taken from it is an outage until it is given back."""

from __future__ import annotations

import asyncio
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.faults.client import client_of
from tests.faults.deployment import PARTITIONS, Deployment, eventually
from tests.faults.processes import Watched
from tests.store.test_permissions import documented


async def allow(deployment: Deployment, *rules: str) -> str:
    """The URL of a user with these rules, in addition to what it has."""
    await deployment.redis.execute_command("ACL", "SETUSER", "u", "on", ">pw", *rules)  # type: ignore[no-untyped-call]
    return deployment.server.url.replace("redis://", "redis://u:pw@")


def command(deployment: Deployment, url: str, *arguments: str) -> Watched:
    settings = {"REDIS_URL": url, "SECRET_KEYS": deployment.key, "PARTITIONS": str(PARTITIONS)}
    named = {f"DISPATCHER_{name}": value for name, value in settings.items()}
    return Watched.of_dispatcher(deployment.folder, named | {"COLUMNS": "400"}, *arguments)


async def test_documented_user_suffices_to_accept_to_deliver_and_to_examine(deployment: Deployment) -> None:
    url = await allow(deployment, *documented())
    integration = await deployment.integration()
    worker = await deployment.worker(url)
    async with client_of(deployment, integration, url) as client:
        await deployment.all_succeed([await client.emitted(f"A{i}", key=f"k{i}") for i in range(10)])
    examined = command(deployment, url, "doctor", "--json")
    assert await examined.ended() == 0, examined.said()
    assert worker.errors() == []
    log = await deployment.redis.execute_command("ACL", "LOG")  # type: ignore[no-untyped-call]
    assert refused(log) <= {b"config|get"}


def refused(log: list[list[bytes]]) -> set[bytes]:
    """Refusals, as ``ACL LOG`` has them."""
    return {dict(zip(entry[::2], entry[1::2], strict=True))[b"object"] for entry in log}


@pytest.mark.parametrize(
    ("taken", "given"),
    [("-hset", "+hset"), ("-time", "+time"), ("resetkeys", "allkeys"), ("-hmget", "+hmget"), ("-info", "+info")],
)
async def test_permission_that_is_taken_away_is_an_outage_until_it_is_back(
    deployment: Deployment, taken: str, given: str
) -> None:
    url = await allow(deployment, "allkeys", "allchannels", "+@all")
    integration = await deployment.integration()
    worker = await deployment.worker(url)
    async with client_of(deployment, integration, url) as client:
        before = [await client.emitted(f"A{i}", key=f"before-{i}") for i in range(20)]
        await allow(deployment, taken)
        lines = worker.lines
        status, headers, _ = await client.emit("B", key="during")
        if taken != "-info":
            assert (status, headers.get("Retry-After")) == (503, "1")
        await asyncio.sleep(1)
        assert worker.lines - lines < 33
        await allow(deployment, given)
        during = await client.emitted("B", key="during")
        await deployment.all_succeed([*before, during], within_s=20)
        assert client.program.errors() == [line for line in client.program.errors() if '"status":503' in line]
    assert worker.said().count("worker started") == 1
    assert worker.errors() == []
    await eventually(deployment.assert_well)


@pytest.mark.parametrize(
    ("verb", "rules", "advice"),
    [
        *((verb, ("+@all", "allkeys", "resetchannels"), "&dispatcher") for verb in ("worker", "serve")),
        *((verb, ("+@all", "allkeys", "&*", "-hget"), "hget") for verb in ("worker", "audit", "clients list")),
        *((verb, (), "ACL rule") for verb in ("worker", "serve", "audit", "clients list")),
    ],
)
async def test_start_without_a_permission_ends_with_one_sentence(
    deployment: Deployment, verb: str, rules: tuple[str, ...], advice: str
) -> None:
    started = command(deployment, await allow(deployment, "reset", "on", ">pw", *rules), *verb.split())
    assert await started.ended() == 2
    assert advice in started.said()
    assert started.said().count("\n") == 1


@pytest.mark.parametrize("verb", ["worker", "serve", "audit", "clients list", "doctor"])
async def test_port_of_another_program_ends_a_start_with_one_sentence(deployment: Deployment, verb: str) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        started = command(deployment, f"redis://127.0.0.1:{server.server_port}", *verb.split())
        assert await started.ended() == (1 if verb == "doctor" else 2)
    finally:
        server.shutdown()
        server.server_close()
    assert "what answers is not Redis" in started.said()
    assert "Traceback" not in started.said()
