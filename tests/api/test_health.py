"""Questions of supervisors, monitors and load balancers, by GET and by HEAD."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.errors import StoreUnavailable
from dispatcher.store.queue.events import QueueStore
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api
from tests.cli.in_process import dispatcher

PATHS = ["/healthz", "/readyz"]
VARYING = (b"date:", b"x-request-id:")


async def test_health_is_public(api: Api) -> None:
    assert await (await api.http.get("/healthz")).json() == {"status": "ok"}
    assert (await api.http.get("/readyz")).status == 200


async def asked(api: Api, method: str, path: str) -> tuple[list[bytes], bytes]:
    """The head of the answer, but for what differs each time, and all that came after it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.http.port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(30):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return [line for line in head.split(b"\r\n") if not line.lower().startswith(VARYING)], body


@pytest.mark.parametrize("path", [*PATHS, "/healthz?probe=1"])
async def test_head_is_answered_as_get_without_the_body(api: Api, path: str) -> None:
    head, body = await asked(api, "GET", path)
    assert head[0].split()[1] == b"200"
    assert body
    assert await asked(api, "HEAD", path) == (head, b"")


async def test_head_tells_that_redis_is_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: QueueStore) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(QueueStore, "take_writes", away)
    (status, *_), body = await asked(api, "HEAD", "/readyz")
    assert (status.split()[1], body) == (b"503", b"")
    assert (await api.http.head("/healthz")).status == 200


async def test_the_verb_status_tells_that_redis_is_away_where_nobody_gets_a_token(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(QueueStore, "take_writes", away)
    monkeypatch.setattr(type(api.services.clients), "get", away)
    access = ("--url", str(api.http.make_url("")), "--client-id", ADMIN_ID, "--client-secret", ADMIN_SECRET)
    ended = await asyncio.to_thread(dispatcher, capsys, "status", *access)
    assert (ended.status, ended.err) == (1, "")
    assert "PAGE  Redis takes no writes since " in ended.out
    assert "dispatcher doctor" in ended.out
    said = await asyncio.to_thread(dispatcher, capsys, "status", "--json", *access)
    assert (said.status, '"kind": "store_away"' in said.out) == (1, True)


async def test_a_redis_that_takes_no_writes_is_not_ready(api: Api) -> None:
    await api.redis.config_set("min-replicas-to-write", 1)
    try:
        answer = await api.http.get("/readyz")
        said = await answer.json()
        assert (answer.status, said["redis"]) == (503, "away")
        assert said["since"].startswith("2027-01-15T08:00")
        assert (await api.http.get("/healthz")).status == 200
    finally:
        await api.redis.config_set("min-replicas-to-write", 0)
    assert (await api.http.get("/readyz")).status == 200
    assert await api.redis.dbsize() == len([key async for key in api.redis.scan_iter()])


@pytest.mark.parametrize("path", PATHS)
async def test_health_takes_no_other_method(api: Api, path: str) -> None:
    answer = await api.http.post(path)
    assert (answer.status, set(answer.headers["Allow"].split(","))) == (405, {"GET", "HEAD"})
