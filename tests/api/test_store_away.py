"""A store that is away, hangs or declines, as clients hear of it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.errors import StoreDeclined, StoreUnavailable
from tests.api.conftest import Api
from tests.api.framing import EVENT, JSON


@asynccontextmanager
async def frozen(redis: Redis) -> AsyncIterator[None]:
    """A Redis that takes connections and answers nothing."""
    pid = int((await redis.info("server"))["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_bi50_a_write_that_the_store_declined_is_a_plain_no(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Symptom: a slot of a cluster that moved answered 500, or that nobody knew what had become of the event."""

    async def declines(_: object, events: list[object]) -> list[Exception]:
        return [StoreDeclined("its slot moves")] * len(events)

    monkeypatch.setattr(type(api.services.queue), "accept_each", declines)
    answer = await api.ask("POST", "/v1/events", data=EVENT, headers=JSON)
    problem = (await answer.json())["errors"][0]
    assert (answer.status, answer.headers["Retry-After"], problem["code"]) == (503, "1", "store_unavailable")
    assert "nothing was done" in problem["message"]


async def test_bi50_store_away_is_unknown_for_writes_and_unavailable_for_reads(api: Api, redis: Redis) -> None:
    """ft10: answered within six seconds."""
    asks = [
        ("POST", "/v1/events", EVENT, "unknown_outcome", "may make a second event"),
        ("POST", "/v1/events/batch", b"[" + EVENT + b"]", "unknown_outcome", "makes every event again"),
        ("POST", "/v1/events/0190b0a0-0000-7000-8000-000000000000/resolve", EVENT, "unknown_outcome", "Look whether"),
        ("GET", "/v1/events/0190b0a0-0000-7000-8000-000000000000", None, "store_unavailable", "ask again"),
        ("GET", "/v1/events", None, "store_unavailable", "ask again"),
        ("GET", "/metrics", None, "store_unavailable", "ask again"),
    ]
    await api.emit()
    async with frozen(redis):
        began = asyncio.get_running_loop().time()
        sent = [api.ask(method, path, data=data, headers=JSON) for method, path, data, *_ in asks]
        *answers, ready, alive = await asyncio.gather(*sent, api.http.get("/readyz"), api.http.get("/healthz"))
        assert asyncio.get_running_loop().time() - began < 16
    for (*_, code, words), answer in zip(asks, answers, strict=True):
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"
        problem = (await answer.json())["errors"][0]
        assert problem["code"] == code
        assert words in problem["message"]
    assert (ready.status, alive.status) == (503, 200)
    await api.emit()


async def test_ft10_events_behind_a_write_that_hangs_are_answered_in_time_too(api: Api, redis: Redis) -> None:
    async def answered_s(after_s: float) -> float:
        await asyncio.sleep(after_s)
        began = asyncio.get_running_loop().time()
        await api.refused("POST", "/v1/events", 503, "unknown_outcome", data=EVENT, headers=JSON)
        return asyncio.get_running_loop().time() - began

    await api.emit()
    async with frozen(redis):
        assert max(await asyncio.gather(*(answered_s(after_s) for after_s in (0, 0.5, 1)))) < 6
    await api.emit()


async def test_store_away_at_the_token_endpoint_is_temporary(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(type(api.services.clients), "get", away)
    form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
    answer = await api.http.post("/oauth2/token", data=form)
    assert (answer.status, (await answer.json())["error"]) == (503, "temporarily_unavailable")
