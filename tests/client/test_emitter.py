"""Many events in batches: nothing is emitted twice, nothing is lost unsaid, and who puts too fast waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from dispatcher.client import ApiError, Client, Unreachable, batches, transport
from dispatcher.client.emitter import Bounds
from tests.waiting import until

NEVER_S = 3600.0
"""Longer than any test: what is sent was not sent because it had waited."""


class BatchApi:
    """Accepts each source and id once; ``faults`` are answers that come first, one for each request."""

    def __init__(self) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.accepted: dict[str, str] = {}
        self.faults: list[int] = []
        self.refused: dict[str, list[int]] = {}
        self.open = asyncio.Event()
        self.open.set()
        app = web.Application()
        app.router.add_post("/oauth2/token", self._token)
        app.router.add_post("/v1/events/batch", self._batch)
        self.server = TestServer(app)

    async def _token(self, request: web.Request) -> web.Response:
        return web.json_response({"access_token": "t", "expires_in": 600})

    async def _batch(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/cloudevents-batch+json"
        items = orjson.loads(await request.read())
        self.batches.append(items)
        await self.open.wait()
        fault = self.faults.pop(0) if self.faults else 0
        if fault > 0:
            return web.json_response({"errors": [{"code": "c", "message": "No.", "field": None}]}, status=fault)
        results = [self._result(index, item) for index, item in enumerate(items)]
        if fault < 0:  # accepted, and nobody hears of it
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"results": results})

    def _result(self, index: int, item: dict[str, Any]) -> dict[str, Any]:
        statuses = self.refused.get(item["id"])
        if statuses:
            error = {"code": "c", "message": f"No {item['id']}.", "field": "productid"}
            return {"index": index, "status": statuses.pop(0), "errors": [error]}
        key = f"{item['source']} {item['id']}"
        return {"index": index, "status": 202, "id": self.accepted.setdefault(key, f"event {len(self.accepted)}")}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "REPEAT_AFTER_S", (0.0, 0.0))
    monkeypatch.setattr(batches, "PAUSES_S", (0.0,))


@pytest.fixture
async def api() -> AsyncIterator[BatchApi]:
    api = BatchApi()
    await api.server.start_server()
    yield api
    await api.server.close()


@pytest.fixture
async def client(api: BatchApi) -> AsyncIterator[Client]:
    async with Client(str(api.server.make_url("")), "me", "secret") as client:
        yield client


def order(n: int, **more: Any) -> dict[str, Any]:
    return {"type": "create", "productId": "shop", "accountId": f"a-{n}", **more}


async def test_events_that_are_put_go_in_batches_in_their_order(api: BatchApi, client: Client) -> None:
    async with client.emitter("urn:test", Bounds(batch=3, wait_s=NEVER_S)) as emitter:
        accepted = [await emitter.put(order(n, payload={"n": n}), f"k-{n}") for n in range(7)]
    assert [[item["id"] for item in batch] for batch in api.batches] == [
        ["k-0", "k-1", "k-2"],
        ["k-3", "k-4", "k-5"],
        ["k-6"],
    ]
    assert [one.result() for one in accepted] == [f"event {n}" for n in range(7)]
    expected = {"specversion": "1.0", "source": "urn:test", "id": "k-0", "type": "create", "productid": "shop"}
    assert api.batches[0][0] == expected | {"accountid": "a-0", "data": {"n": 0}}


async def test_an_event_does_not_wait_for_others_for_long(api: BatchApi, client: Client) -> None:
    async with client.emitter(bounds=Bounds(wait_s=0.001)) as emitter:
        assert await emitter.emit(order(1)) == "event 0"
        assert await emitter.emit(order(2)) == "event 1"
    assert len(api.batches) == 2


@pytest.mark.parametrize("faults", [[503, 503, 429, 502], [-1], [503] * 4 + [-1, -1]])
async def test_a_batch_is_repeated_with_its_keys_until_it_has_an_answer(
    faults: list[int], api: BatchApi, client: Client
) -> None:
    api.faults = faults
    async with client.emitter(bounds=Bounds(batch=2, wait_s=NEVER_S)) as emitter:
        made = await asyncio.gather(*(emitter.emit(order(n)) for n in range(2)))
    assert made == ["event 0", "event 1"]
    assert len(api.accepted) == 2
    assert all(batch == api.batches[0] for batch in api.batches)


async def test_only_what_may_pass_is_repeated_and_what_is_refused_says_why(api: BatchApi, client: Client) -> None:
    api.refused = {"passing": [503, 429], "refused": [422]}
    async with client.emitter(bounds=Bounds(wait_s=NEVER_S)) as emitter:
        good, passing, refused = [await emitter.put(order(1), key) for key in ("good", "passing", "refused")]
    assert [good.result(), passing.result()] == ["event 0", "event 1"]
    with pytest.raises(ApiError, match="No refused") as caught:
        refused.result()
    assert (caught.value.status, caught.value.problems[0].field) == (422, "productid")
    assert [len(batch) for batch in api.batches] == [3, 1, 1]


async def test_a_batch_that_is_too_long_for_the_server_is_halved(api: BatchApi, client: Client) -> None:
    api.faults = [413, 413, 0, 413]
    async with client.emitter(bounds=Bounds(wait_s=NEVER_S)) as emitter:
        accepted = [await emitter.put(order(n), f"k-{n}") for n in range(4)]
    assert [len(batch) for batch in api.batches] == [4, 2, 1, 1, 2]
    assert isinstance(accepted[1].exception(), ApiError)
    assert [accepted[n].result() for n in (0, 2, 3)] == ["event 0", "event 1", "event 2"]


async def test_batches_keep_within_their_bytes(api: BatchApi, client: Client) -> None:
    async with client.emitter(bounds=Bounds(batch_bytes=1000, wait_s=NEVER_S)) as emitter:
        for n in range(5):
            await emitter.put(order(n, payload={"text": "x" * 300}))
        await emitter.put(order(5, payload={"text": "x" * 3000}))
    assert [len(batch) for batch in api.batches] == [2, 2, 1, 1]


async def test_who_puts_faster_than_the_api_takes_waits(api: BatchApi, client: Client) -> None:
    api.open.clear()
    put = list[int]()

    async def put_all() -> None:
        for n in range(20):
            await emitter.put(order(n))
            put.append(n)

    async with client.emitter(bounds=Bounds(batch=2, wait_s=NEVER_S, waiting=3)) as emitter:
        putting = asyncio.create_task(put_all())
        await until(lambda: api.batches and len(put) >= 5)
        assert len(put) == 5, "two are under way, three wait"
        api.open.set()
        await putting
    assert sum(len(batch) for batch in api.batches) == 20


async def test_what_is_given_up_says_why_to_each(
    client: Client, api: BatchApi, caplog: pytest.LogCaptureFixture
) -> None:
    await api.server.close()
    async with client.emitter(bounds=Bounds(give_up_s=-1)) as emitter:
        accepted = [await emitter.put(order(n)) for n in range(2)]
    assert [type(one.exception()) for one in accepted] == [Unreachable] * 2
    assert "2 event(s) not accepted" in caplog.text


async def test_an_answer_of_something_else_is_no_acceptance(api: BatchApi, client: Client) -> None:
    api.refused = {}

    def nothing(index: int, item: dict[str, Any]) -> dict[str, Any]:
        return {"index": index + 1}

    api._result = nothing  # type: ignore[method-assign]
    async with client.emitter() as emitter:
        with pytest.raises(ApiError, match="not the API"):
            await emitter.emit(order(1))


async def test_leaving_by_a_cancellation_leaves_nobody_waiting(api: BatchApi, client: Client) -> None:
    api.open.clear()
    accepted = list[asyncio.Future[str]]()

    async def emit() -> None:
        async with client.emitter(bounds=Bounds(batch=1)) as emitter:
            accepted.extend([await emitter.put(order(1)), await emitter.put(order(2))])

    task = asyncio.create_task(emit())
    await until(lambda: api.batches)
    task.cancel()
    await asyncio.wait([task])
    api.open.set()
    assert [one.cancelled() for one in accepted] == [True, True]


async def test_what_a_batch_cannot_carry_is_refused_before_it_waits(client: Client) -> None:
    async with client.emitter() as emitter:
        with pytest.raises(ValueError, match=r"no creator: use Client\.emit"):
            await emitter.put(order(1, creator={"uuid": "u"}))
    with pytest.raises(RuntimeError, match="async with"):
        await client.emitter().put(order(1))
