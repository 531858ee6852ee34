"""Bodies that are held at once are bounded in bytes, and small ones never wait for large ones."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from dispatcher.api.http.overload.intake import HANDLED, INTAKE, SMALL_BYTES
from tests.api.conftest import PRODUCT, Api
from tests.waiting import until

LARGE = "x" * 1_000_000


def accepting(api: Api, text: str, account: str, **kwargs: Any) -> asyncio.Task[Any]:
    body = {"type": "create", "productId": PRODUCT, "accountId": account, "payload": {"text": text}}
    headers = {"Content-Type": "application/json"}
    sent = {"data": orjson.dumps(body), "headers": headers} | kwargs
    return asyncio.create_task(api.ask("POST", "/v1/events", **sent))


@asynccontextmanager
async def no_room(api: Api) -> AsyncIterator[None]:
    """Bodies of others are handled meanwhile, as many as may be."""
    ends = asyncio.Event()

    async def handle(share: str) -> None:
        await api.http.app[INTAKE].handled.begin(share, HANDLED.of_one)
        await ends.wait()

    others = [asyncio.create_task(handle(share)) for share in ("one", "two")]
    await until(lambda: api.http.app[INTAKE].handled.running == HANDLED.at_once)
    yield
    ends.set()
    await asyncio.gather(*others)


async def test_a_small_accept_is_answered_while_many_large_ones_wait(api: Api) -> None:
    intake = api.http.app[INTAKE]
    async with no_room(api):
        large = [accepting(api, LARGE, f"L-{n}") for n in range(40)]
        await until(lambda: intake.handled.waiting and intake.arriving.waiting)
        await api.emit(accountId="small")
        assert not any(one.done() for one in large)
        assert intake.handled.running == HANDLED.at_once
    assert {(await one).status for one in large} == {202}
    await until(lambda: intake.handled.running == intake.arriving.running == 0)


async def test_a_packed_body_takes_room_by_what_it_turns_out_to_be(api: Api) -> None:
    """However many small ones come at once, none waits; a large one does, however small it is when packed."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with no_room(api):
        small = [accepting(api, "", "", data=_packed("s" * 50, f"S-{n}"), headers=headers) for n in range(200)]
        large = accepting(api, "", "", data=_packed(LARGE, "L"), headers=headers)
        assert {(await one).status for one in small} == {202}
        await until(lambda: api.http.app[INTAKE].handled.waiting == 1)
        assert not large.done()
    assert (await large).status == 202


def _packed(text: str, account: str) -> bytes:
    body = {"type": "create", "productId": PRODUCT, "accountId": account, "payload": {"text": text}}
    return gzip.compress(orjson.dumps(body))


@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_that_is_refused_leaves_its_room(api: Api, packed: bool) -> None:
    intake = api.http.app[INTAKE]
    raw = b"[" * (2 * SMALL_BYTES)
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if packed else {})
    answer = await accepting(api, "", "", data=gzip.compress(raw) if packed else raw, headers=headers)
    assert answer.status == 400
    await until(lambda: intake.handled.running == intake.arriving.running == 0)
