"""``q``, the filter as a text: on lists and streams, beside the old parameters, within what is the caller's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model.integration import Revision
from dispatcher.model.queue import Page
from dispatcher.model.status import Status
from dispatcher.store.queue.search import listing
from tests.api.conftest import Api, publish
from tests.api.tenants import Tenant
from tests.api.test_events import ids
from tests.api.test_stream import listening
from tests.api.town import town
from tests.api.worker_hand import WorkerHand
from tests.waiting import until

__all__ = ["town"]


async def test_a_filter_finds_what_its_terms_say(api: Api) -> None:
    dead, other, cancelled = [
        (await api.emit(accountId=account, type=kind))["id"]
        for account, kind in (("acme", "create"), ("bolt", "create"), ("acme", "cancel"))
    ]
    await WorkerHand(api).settle(dead, Status.DEAD)
    assert await ids(api, q="status:dead since:2026-01-01") == [dead]
    assert await ids(api, q="status:dead until:2026-01-01") == []
    assert await ids(api, q="-status:dead") == [cancelled, other]
    assert await ids(api, q="-type:cancel account:acme,bolt") == [other, dead]
    assert await ids(api, q="acme http:5xx host:host.example") == [dead]
    assert await ids(api, q="acme -http:5xx", type="cancel") == [cancelled]
    assert await ids(api, q=other[:20].upper()) == [other]
    assert await ids(api, q="accepted:2026-01-01.. reason:ready,behind_event") == [cancelled, other]


async def test_a_filter_that_cannot_be_read_is_refused_with_its_place(api: Api) -> None:
    for path in ("/v1/events", "/v1/events/stream"):
        body = await api.refused("GET", path, 400, "invalid_filter", "q", params={"q": "stauts:dead"})
        (error,) = body["errors"]
        assert error["message"] == "at 1: there is no field stauts; status?"
        assert (error["position"], error["length"]) == (1, 6)


@pytest.mark.parametrize(
    ("q", "name", "value"),
    [("status:dead", "status", "FAILED"), ("account:a", "accountId", "a"), ("accepted:1h..", "to", "1")],
)
async def test_a_field_is_given_once_in_either_form(api: Api, q: str, name: str, value: str) -> None:
    body = await api.refused("GET", "/v1/events", 400, "invalid_filter", "q", params={"q": q, name: value})
    assert "twice" in body["errors"][0]["message"]


async def test_an_integration_is_named_by_any_of_its_ids_or_its_name(api: Api) -> None:
    mine = await publish(api.services, Revision(urls={}), products=("P-2",))
    definitions = api.services.definitions
    mine = await definitions.save(replace(mine, name="Gone Mailer", modified_ms=mine.modified_ms + 1), mine.modified_ms)
    event = (await api.emit(productId="P-2"))["id"]
    await api.emit()
    for name in (mine.id, str(mine.app_market_id), mine.connector_id, '"gone mailer"'):
        assert await ids(api, q=f"integration:{name}") == [event], name
        assert event not in await ids(api, q=f"-integration:{name}"), name
    assert await ids(api, q='"Gone Mailer"') == [event]
    assert await ids(api, q="integration:4711000") == []


async def test_names_reach_no_further_than_the_caller(town: list[Tenant]) -> None:
    acme, brick, _ = town
    for q in (f"integration:{brick.id}", f"integration:{brick.id},{acme.id}", f"-integration:{acme.id}"):
        answer = await acme.api.json("GET", "/v1/events", 200, params={"q": q}, headers=acme.headers)
        assert {one["integrationId"] for one in answer["data"]} <= {acme.id}


async def test_an_account_sees_its_own_whatever_it_asks_for(api: Api) -> None:
    headers = await api.bearer_of_new("events:read", account_id="B")
    await api.emit(accountId="A")
    mine = await api.emit(accountId="B")
    for q in ("account:A,B", "-account:X", "B"):
        body = await api.json("GET", "/v1/events", 200, params={"q": q}, headers=headers)
        assert [event["id"] for event in body["data"]] == [mine["id"]]
    assert (await api.json("GET", "/v1/events", 200, params={"q": "account:A"}, headers=headers))["data"] == []


async def test_a_page_says_how_far_a_search_came(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    rare = (await api.emit(accountId="rare"))["id"]
    for n in range(6):
        await api.emit(accountId=f"A-{n}")
    monkeypatch.setattr(listing, "SCAN_CHUNK", 2)
    monkeypatch.setattr(listing, "MAX_LOOKED", 2)
    params = {"q": "account:rare,raw"}
    first = body = await api.json("GET", "/v1/events", 200, params=params)
    found: list[str] = []
    while body["nextCursor"] is not None:
        body = await api.json("GET", "/v1/events", 200, params=params | {"cursor": body["nextCursor"]})
        found += [event["id"] for event in body["data"]]
    assert first["data"] == []
    assert first["searchedTo"].endswith("Z")
    assert "searchedTo" not in body
    assert found == [rare]


async def test_ages_mean_the_same_on_every_page(api: Api) -> None:
    made = [(await api.emit(accountId=f"A-{n}"))["id"] for n in range(5)]
    found, params = list[str](), {"q": "-account:X since:1000d", "limit": "2"}
    while True:
        body = await api.json("GET", "/v1/events", 200, params=params)
        found += [event["id"] for event in body["data"]]
        if body["nextCursor"] is None:
            break
        api.clock.now_s += 60
        params["cursor"] = body["nextCursor"]
    assert found == made[::-1]
    for cursor in ("forged", params["cursor"].partition(".")[0], params["cursor"] + "0", params["cursor"] + "x"):
        forged = params | {"cursor": cursor}
        await api.refused("GET", "/v1/events", 400, "invalid_cursor", "cursor", params=forged)


async def test_a_client_searches_payloads_one_at_a_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await api.emit(payload={"order": {"id": "4711"}})
    whole, entered, going_on = api.services.reads.page, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any, **more: Any) -> Page:
        entered.set()
        await going_on.wait()
        return await whole(*args, **more)

    monkeypatch.setattr(api.services.reads, "page", slow)
    params = {"q": "payload.order.id:4711 since:2026-01-01"}
    first = asyncio.create_task(api.json("GET", "/v1/events", 200, params=params))
    await entered.wait()
    refused = await api.refused("GET", "/v1/events", 429, "too_many_at_once", params=params)
    assert "searches of payloads" in refused["errors"][0]["message"]
    going_on.set()
    assert [event["id"] for event in (await first)["data"]] == [made["id"]]
    assert (await api.json("GET", "/v1/events/count", 200, params=params))["matched"] == 1


async def test_a_filter_narrows_the_stream(api: Api) -> None:
    for q in ("account:B -type:create", "account:B,C product:P-1 -status:dead type:cancel", "B type:cancel"):
        async with listening(api, q=q) as listener:
            await api.emit(accountId="A", type="cancel")
            await api.emit(accountId="B", type="create")
            wanted = await api.emit(accountId="B", type="cancel")
            assert (await listener.next())["eventId"] == wanted["id"], q


async def test_an_event_is_found_by_its_key_and_its_client(api: Api) -> None:
    made = await api.emit(headers={"Idempotency-Key": "order 4711"})
    headers = await api.bearer_of_new("events:write", "events:read")
    other = await api.emit(headers={**headers, "Idempotency-Key": "order 4711"})
    (admin, client) = [
        (await api.services.queue.get(one["id"])).event.client_id  # type: ignore[union-attr]
        for one in (made, other)
    ]
    assert await ids(api, q='key:"order 4711"') == [made["id"]]
    assert await ids(api, q=f'key:"order 4711" client:{client}') == [other["id"]]
    assert await ids(api, q='-key:"order 4711"') == [other["id"]]
    assert await ids(api, q="key:order-1") == []
    assert await ids(api, q=f"client:{admin}") == [made["id"]]
    assert await ids(api, q=f"-client:{admin} product:P-1") == [other["id"]]


async def test_a_job_takes_a_filter_as_a_text_and_keeps_its_times(api: Api) -> None:
    one, other = [(await api.emit(accountId=account))["id"] for account in ("A", "B")]
    hand = WorkerHand(api)
    for event_id in (one, other):
        await hand.settle(event_id, Status.DEAD)
    text = "status:dead,failed -account:B since:2026-01-01 http:5xx"
    counted = await api.json("POST", "/v1/redeliveries", 200, json={"filter": text, "dryRun": True})
    assert counted["matched"] == 1
    beside = {"q": "http:5xx", "accountId": "A"}
    assert (await api.json("POST", "/v1/redeliveries", 200, json={"filter": beside, "dryRun": True}))["matched"] == 1
    started = await api.json("POST", "/v1/redeliveries", 202, json={"filter": text})

    async def done() -> Any:
        body = await api.json("GET", f"/v1/redeliveries/{started['id']}", 200)
        return body if body["state"] == "DONE" else None

    job = await until(done)
    assert job["filter"] == {"q": "status:dead,failed -account:B since:2026-01-01T00:00:00.000Z http:5xx"}
    assert (job["done"], job["total"]) == (1, 1)
    assert await ids(api, q="status:dead") == [other]


async def test_a_text_that_a_job_cannot_read_is_refused_with_its_place(api: Api) -> None:
    path = "/v1/redeliveries"
    body = await api.refused("POST", path, 400, "invalid_filter", "filter", json={"filter": "status:dead bad:x"})
    assert (body["errors"][0]["position"], body["errors"][0]["length"]) == (13, 3)
    await api.refused("POST", path, 400, "invalid_filter", "filter", json={"filter": " "})
    await api.refused("POST", path, 422, "invalid_value", "filter.status", json={"filter": "status:succeeded"})
