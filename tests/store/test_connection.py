"""Connecting: what a URL may say, what a client is allowed to wait for, and what a failure is called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import exceptions as failures
from redis.asyncio import Redis

from dispatcher.errors import ConfigurationError, StoreUnavailable, StoreUnusable
from dispatcher.store.redis import connection
from dispatcher.store.redis.connection import connect, connect_listener, connection_pool, guarded
from dispatcher.store.redis.url import RedisTarget, Topology, parse


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("redis://localhost", RedisTarget(Topology.TCP, (("localhost", 6379),))),
        ("redis://[::1]:6380/3", RedisTarget(Topology.TCP, (("::1", 6380),), db=3)),
        ("rediss://u:p%40x@h:1", RedisTarget(Topology.TLS, (("h", 1),), username="u", password="p@x")),
        ("redis://:only@h", RedisTarget(Topology.TCP, (("h", 6379),), password="only")),
        ("unix:///run/r.sock?db=2", RedisTarget(Topology.SOCKET, path="/run/r.sock", db=2)),
        ("unix://:pw@/run/r.sock", RedisTarget(Topology.SOCKET, path="/run/r.sock", password="pw")),
        (
            "redis+sentinel://a,b:26380/main/1?sentinel_password=s",
            RedisTarget(
                Topology.SENTINEL,
                (("a", 26379), ("b", 26380)),
                db=1,
                master="main",
                options=(("sentinel_password", "s"),),
            ),
        ),
        ("redis+cluster://a,b:7001", RedisTarget(Topology.CLUSTER, (("a", 6379), ("b", 7001)))),
    ],
)
def test_every_scheme_is_read(url: str, target: RedisTarget) -> None:
    assert parse(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://user:hunter2@host",
        "redis://user:hunter2@",
        "redis://user:hunter2@host:port",
        "redis://user:hunter2@host:0",
        "redis://user:hunter2@host:99999",
        "redis://user:hunter2@host/zero",
        "redis://user:hunter2@host/0/1",
        "redis://user:hunter2@a,b",
        "redis://user:hunter2@host?socket_timeout=0",
        "redis://user:#hunter2@host",
        "redis://user:hunter2@[::1",
        "unix://user:hunter2@/",
        "redis+sentinel://user:hunter2@host",
        "redis+cluster://user:hunter2@host/1",
    ],
)
def test_malformed_url_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect(url)
    assert "hunter2" not in str(caught.value)
    assert "allowed: redis://" in str(caught.value)
    assert caught.value.__cause__ is None


def test_target_prints_without_credentials() -> None:
    assert repr(parse("redis+sentinel://u:hunter2@a,b/main")) == "<RedisTarget redis+sentinel://a:26379,b:26379/main>"


def test_arq_is_kept_out_of_a_cluster() -> None:
    with pytest.raises(ConfigurationError, match="DISPATCHER_QUEUE_REDIS_URL"):
        connection_pool("redis+cluster://a")


async def test_every_limit_of_a_connection_is_stated(redis_url: str) -> None:
    async with connect(redis_url, max_connections=3, client_name="worker-1") as redis:
        assert await redis.set("k", b"\xff")
        assert await redis.get("k") == b"\xff"
        assert await redis.client_getname() == "worker-1"
        made = redis.connection_pool.connection_kwargs
        assert (made["socket_timeout"], made["socket_connect_timeout"], made["health_check_interval"]) == (5, 2, 15)
        assert made["retry"] is None
        assert redis.connection_pool.max_connections == 3


async def test_callers_queue_for_connections(redis_url: str) -> None:
    async with connect(redis_url, max_connections=2) as redis:
        await asyncio.gather(*(redis.incr("n") for _ in range(50)))
        assert await redis.get("n") == b"50"
        assert len(await redis.client_list()) <= 4


async def test_connections_killed_while_idle_are_replaced_unnoticed(redis: Redis, redis_url: str) -> None:
    async with connect(redis_url) as client:
        await asyncio.gather(*(client.ping() for _ in range(4)))
        await redis.client_kill_filter(_type="normal", skipme=True)
        assert await client.ping()


async def test_listener_hears_what_is_published(redis: Redis, redis_url: str) -> None:
    async with connect_listener(redis_url) as client, client.pubsub() as subscription:
        await subscription.subscribe("news")
        await subscription.get_message(timeout=5)
        await redis.publish("news", "now")
        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=5)
    assert message is not None
    assert message["data"] == b"now"


async def test_absent_server_is_unavailable() -> None:
    async with connect("redis://127.0.0.1:1") as redis:
        with pytest.raises(StoreUnavailable, match="repeating it is safe"), guarded():
            await redis.ping()


@asynccontextmanager
async def scripted_server(answer: bytes | None) -> AsyncIterator[str]:
    """A server that greets as Redis does and then gives one ``answer`` to all, or none at all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            greeting = data.count(b"CLIENT\r\n")
            writer.write(b"+OK\r\n" * greeting if greeting else answer or b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@pytest.mark.parametrize(
    "code", ["LOADING", "READONLY", "NOREPLICAS", "MISCONF", "OOM", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "BUSY"]
)
async def test_refusal_that_passes_by_itself_is_unavailable(code: str) -> None:
    async with scripted_server(f"-{code} for now\r\n".encode()) as url, connect(url) as redis:
        with pytest.raises(StoreUnavailable), guarded():
            await redis.set("k", "v")


@pytest.mark.parametrize("code", ["WRONGTYPE", "ERR", "NOSCRIPT"])
async def test_other_refusals_propagate(code: str) -> None:
    async with scripted_server(f"-{code} for ever\r\n".encode()) as url, connect(url) as redis:
        with pytest.raises(failures.ResponseError), guarded():
            await redis.set("k", "v")


@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        ("-NOPERM this user has no permissions to run the 'set' command", "ACL rule"),
        ("-ERR The user executing the script can't run this command or subcommand script: 1, on line 1.", "ACL rule"),
        ("-ERR ACL failure in script: User u has no permissions to run the 'set' command", "ACL rule"),
        ("-ERR unknown command 'SET', with args beginning with: 'k'", r"Redis 7\.0 or later"),
        ("-ERR DB index is out of range", "DISPATCHER_REDIS_URL"),
        ("-ERR invalid DB index", "DISPATCHER_REDIS_URL"),
        ("-WRONGPASS invalid username-password pair or user is disabled.", "DISPATCHER_REDIS_URL"),
        ("-NOAUTH Authentication required.", "DISPATCHER_REDIS_URL"),
        ("HTTP/1.1 400 Bad Request", "not Redis"),
        ("220 mail.example ESMTP", "not Redis"),
    ],
)
async def test_refusal_that_repeating_cannot_mend_says_what_to_do(reply: str, advice: str) -> None:
    async with scripted_server(f"{reply}\r\n".encode()) as url, connect(url) as redis:
        with pytest.raises(StoreUnusable, match=advice), guarded():
            await redis.set("k", "v")


def test_ft10_silent_server_is_given_five_seconds() -> None:
    assert connection.SOCKET_TIMEOUT_S == 5


async def test_ft10_silent_server_is_unavailable_a_second_after_its_time_out_at_the_latest(
    socket_timeout_s: float,
) -> None:
    async with scripted_server(None) as url, connect(url) as redis:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable), guarded():
            await redis.set("k", "v")
        assert socket_timeout_s <= time.monotonic() - began < socket_timeout_s + 10


def test_errors_of_the_program_pass_the_guard() -> None:
    with pytest.raises(KeyError), guarded():
        raise KeyError("k")
    with pytest.raises(RuntimeError, match="other"), guarded():
        raise RuntimeError("other")
    with pytest.raises(StoreUnavailable), guarded():
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")


@pytest.mark.parametrize("steps", range(40))
async def test_cancelled_listener_ends_wherever_it_is(redis_url: str, steps: int) -> None:
    """Symptom: a process that was stopped right after its start hung for ever."""

    async def listen(client: Redis) -> None:
        async with client.pubsub() as subscription:
            await subscription.subscribe("news")
            while True:
                await subscription.get_message(timeout=1)

    async with connect_listener(redis_url) as client:
        task = asyncio.create_task(listen(client))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)
        assert task in done
        assert task.cancelled()
