"""GET /v1/events/stream: what happens, as it happens, and from where one left off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from dispatcher.api.oauth.gate import RECHECK_S
from dispatcher.api.rest.events.reading import stream as streaming
from dispatcher.model.status import Status
from tests.api.conftest import Api
from tests.api.worker_hand import WorkerHand

PATH = "/v1/events/stream"


@dataclass
class Listener:
    """Reads messages off one stream."""

    answer: ClientResponse
    last_id: str = ""
    seen: list[Any] = field(default_factory=list)

    async def next(self) -> Any:
        """The next message's data."""
        async with asyncio.timeout(30):
            lines: dict[str, str] = {}
            while True:
                line = (await self.answer.content.readline()).decode().strip()
                if not line and "data" in lines:
                    break
                name, _, value = line.partition(": ")
                lines[name] = value
        assert lines["event"] == "status"
        self.last_id = lines["id"]
        return orjson.loads(lines["data"])


@asynccontextmanager
async def listening(api: Api, headers: dict[str, str] | None = None, **params: str) -> AsyncIterator[Listener]:
    answer = await api.ask("GET", PATH, headers=headers or {}, params=params)
    assert answer.status == 200, await answer.text()
    assert answer.content_type == "text/event-stream"
    try:
        yield Listener(answer)
    finally:
        answer.close()


async def test_changes_are_told_as_they_happen(api: Api) -> None:
    async with listening(api) as listener:
        made = await api.emit()
        first = await listener.next()
        assert (first["eventId"], first["status"], first["type"]) == (made["id"], "QUEUED", "SUBSCRIPTION_ORDER")
        assert first["accountId"] == "A-1"
        assert first["at"].endswith("Z")
        await WorkerHand(api).settle(made["id"], Status.DEAD)
        later = await listener.next()
        while later["status"] != "DEAD":
            later = await listener.next()
        assert (later["attempts"], later["attempt"], later["httpStatus"]) == (1, 1, 500)


async def test_last_event_id_resumes_without_a_gap(api: Api) -> None:
    async with listening(api) as listener:
        await api.emit(accountId="one")
        assert (await listener.next())["accountId"] == "one"
        position = listener.last_id
    missed = [(await api.emit(accountId=f"missed-{n}"))["id"] for n in range(3)]
    async with listening(api, {"Last-Event-ID": position}) as listener:
        assert {(await listener.next())["eventId"] for _ in missed} == set(missed)
    async with listening(api, lastEventId=position) as listener:
        assert (await listener.next())["eventId"] in missed


async def test_filters_narrow_the_stream(api: Api) -> None:
    async with listening(api, accountId="B", type="cancel") as listener:
        await api.emit(accountId="A", type="cancel")
        await api.emit(accountId="B", type="create")
        wanted = await api.emit(accountId="B", type="cancel")
        assert (await listener.next())["eventId"] == wanted["id"]


@pytest.mark.parametrize("name", ["productId", "from", "fromDate", "to", "toDate"])
async def test_conditions_that_changes_cannot_meet_are_refused_and_not_ignored(api: Api, name: str) -> None:
    await api.refused("GET", PATH, 400, "invalid_parameter", name, params={name: "P-1"})


async def test_account_clients_hear_of_their_account_only(api: Api) -> None:
    headers = await api.bearer_of_new("events:read", account_id="B")
    async with listening(api, headers) as listener:
        await api.emit(accountId="A")
        mine = await api.emit(accountId="B")
        assert (await listener.next())["eventId"] == mine["id"]
    async with listening(api, headers, accountId="A") as listener:
        await api.emit(accountId="A")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listener.next(), 0.8)


async def test_heartbeats_keep_an_idle_stream_open(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "HEARTBEAT_S", 0.1)
    async with listening(api) as listener:
        assert (await asyncio.wait_for(listener.answer.content.readline(), 30)).startswith(b":")


async def test_stream_ends_when_its_client_loses_the_scope(api: Api) -> None:
    client, secret = await api.services.clients.create(frozenset({"events:read", "ops:read"}), "", None, 0)
    async with listening(api, await api.bearer(client.client_id, secret)) as listener:
        await api.services.clients.put(replace(client, scopes=frozenset({"ops:read"})))
        api.clock.now_s += RECHECK_S + 1
        assert await asyncio.wait_for(listener.answer.content.read(), 30) == b""


async def test_stream_ends_with_the_token_that_opened_it(api: Api) -> None:
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    async with listening(api, await api.bearer(client.client_id, secret)) as listener:
        await api.services.clients.disable(client.client_id)
        api.clock.now_s += RECHECK_S + 1
        rest = await asyncio.wait_for(listener.answer.content.read(), 30)
        assert b"data" not in rest


async def test_streams_end_when_the_process_stops(api: Api) -> None:
    answer = await api.ask("GET", PATH)
    began = asyncio.get_running_loop().time()
    await api.http.server.close()
    assert asyncio.get_running_loop().time() - began < 20
    answer.close()


async def test_too_many_streams_are_turned_away(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_STREAMS", 1)
    async with listening(api):
        body = await api.refused("GET", PATH, 429, "too_many_streams")
        assert "1 streams" in body["errors"][0]["message"]


async def test_one_client_cannot_take_every_stream(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_STREAMS_OF_CLIENT", 1)
    other = await api.bearer_of_new("events:read")
    async with listening(api):
        body = await api.refused("GET", PATH, 429, "too_many_streams")
        assert "1 streams of this client" in body["errors"][0]["message"]
        async with listening(api, headers=other):
            pass


@pytest.mark.parametrize("position", ["x", "1-2", "0-0.0-0.0-0.-", "0-0.0-0.0-0.0-0.0-0"])
async def test_forged_positions_are_refused(api: Api, position: str) -> None:
    await api.refused("GET", PATH, 400, "invalid_cursor", "Last-Event-ID", headers={"Last-Event-ID": position})
