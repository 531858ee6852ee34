"""GET /v1/events as NDJSON: all that matches, whatever happens in the middle; and the count of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from dispatcher.api.http.overload.turns import EXPORT_TURNS
from dispatcher.api.oauth.gate import RECHECK_S
from dispatcher.api.rest.events.reading import export as event_export
from dispatcher.errors import StoreUnavailable
from dispatcher.model.queue import Page
from dispatcher.model.status import Status
from dispatcher.store.queue.search import listing
from tests.api.conftest import Api
from tests.api.worker_hand import WorkerHand
from tests.waiting import until

NDJSON = {"Accept": "application/x-ndjson"}


async def lines(api: Api, headers: dict[str, str] | None = None, **params: str) -> list[Any]:
    answer = await api.ask("GET", "/v1/events", params=params, headers=NDJSON | (headers or {}))
    assert (answer.status, answer.content_type) == (200, "application/x-ndjson"), await answer.text()
    return [orjson.loads(line) for line in (await answer.read()).splitlines()]


async def test_an_export_has_every_event_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_export, "PAGE", 2)
    made = [(await api.emit(accountId=f"A-{n}"))["id"] for n in range(5)]
    assert [one["id"] for one in await lines(api)] == made[::-1]
    assert [one["id"] for one in await lines(api, limit="3")] == made[:1:-1]
    assert await lines(api, q="account:nobody") == []
    listed = await api.json("GET", "/v1/events", 200, params={"limit": "2"})
    assert (await lines(api))[:2] == listed["data"]
    assert [one["id"] for one in await lines(api, cursor=listed["nextCursor"])] == made[2::-1]


async def test_dead_letters_are_exported_by_a_filter(api: Api) -> None:
    hand, made = WorkerHand(api), [(await api.emit(accountId=f"A-{n}"))["id"] for n in range(3)]
    for event_id in made[:2]:
        await hand.settle(event_id, Status.DEAD)
    assert {one["id"] for one in await lines(api, q="status:dead since:2026-01-01")} == set(made[:2])
    assert {one["id"] for one in await lines(api, status="DEAD")} == set(made[:2])
    counted = await api.json("GET", "/v1/events/count", 200, params={"q": "status:dead -account:A-0"})
    assert counted == {"matched": 1, "exact": True}


async def test_a_bad_export_is_refused_before_its_first_line(api: Api) -> None:
    for name, value, code in (
        ("page", "2", "invalid_parameter"),
        ("size", "2", "invalid_parameter"),
        ("limit", "0", "invalid_parameter"),
        ("cursor", "forged", "invalid_cursor"),
        ("q", "stauts:dead", "invalid_filter"),
    ):
        await api.refused("GET", "/v1/events", 400, code, name, params={name: value}, headers=NDJSON)


async def test_an_export_that_breaks_off_says_so_and_goes_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_export, "PAGE", 2)
    made = [(await api.emit(accountId=f"A-{n}"))["id"] for n in range(5)]
    whole, calls = api.services.reads.page, list[int]()

    async def away(*args: Any, **more: Any) -> Page:
        calls.append(1)
        if len(calls) == 2:
            raise StoreUnavailable("Redis is away")
        return await whole(*args, **more)

    monkeypatch.setattr(api.services.reads, "page", away)
    *events, last = await lines(api)
    assert [one["id"] for one in events] == made[:2:-1]
    assert last["errors"][0]["code"] == "store_unavailable"
    assert [one["id"] for one in await lines(api, cursor=last["nextCursor"])] == made[2::-1]


async def test_an_export_ends_with_the_rights_of_its_client(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_export, "PAGE", 1)
    clients = api.services.clients
    client, secret = await clients.create(frozenset({"events:read"}), "reader", None, 0)
    headers = await api.bearer(client.client_id, secret)
    for n in range(3):
        await api.emit(accountId=f"A-{n}")
    whole = api.services.reads.page

    async def disabling(*args: Any, **more: Any) -> Page:
        await clients.disable(client.client_id)
        api.clock.now_s += RECHECK_S + 1
        return await whole(*args, **more)

    monkeypatch.setattr(api.services.reads, "page", disabling)
    first, last = await lines(api, headers)
    assert first["accountId"] == "A-2"
    assert last["errors"][0]["code"] == "invalid_token"


async def test_an_export_ends_when_its_caller_leaves(api: Api) -> None:
    for n in range(40):
        await api.emit(accountId=f"A-{n}", payload={"text": "x" * 500_000})
    answer = await api.ask("GET", "/v1/events", headers=NDJSON)
    assert await answer.content.read(100)
    turns = api.http.app[EXPORT_TURNS]
    assert turns.running == 1
    answer.close()

    async def ended() -> bool:
        return turns.running == 0

    await until(ended)


async def test_a_count_that_is_not_exact_says_how_far_it_came(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(6):
        await api.emit(accountId=f"A-{n}")
    assert await api.json("GET", "/v1/events/count", 200) == {"matched": 6, "exact": True}
    assert await api.json("GET", "/v1/events/count?status=queued", 200) == {"matched": 6, "exact": True}
    monkeypatch.setattr("dispatcher.store.queue.search.filtered.SCAN_CHUNK", 2)
    monkeypatch.setattr(listing, "MAX_LOOKED", 2)
    counted = await api.json("GET", "/v1/events/count", 200, params={"q": "-account:A-1"})
    assert not counted["exact"]
    assert counted["searchedTo"].endswith("Z")
