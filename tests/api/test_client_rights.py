"""API clients over HTTP: nobody changes, rotates, disables or enables one that may do more than oneself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.api.oauth.gate import RECHECK_S
from dispatcher.model.access import ApiClient
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api

NARROW = {"clients:admin"}
WIDER = {"clients:admin", "events:read"}


async def made(api: Api, scopes: set[str], **more: Any) -> tuple[ApiClient, str]:
    return await api.services.clients.create(frozenset(scopes), "", None, 0, **more)


async def headers_of(api: Api, scopes: set[str], **more: Any) -> dict[str, str]:
    client, secret = await made(api, scopes, **more)
    return await api.bearer(client.client_id, secret)


REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/rotate", None),
    ("DELETE", "", None),
    ("PATCH", "", {"name": "mine"}),
    ("PATCH", "", {"disabled": False}),
    ("PATCH", "", {"scopes": ["clients:admin"]}),
    ("PATCH", "", {"rate": 1}),
]


@pytest.mark.parametrize(("method", "suffix", "body"), REQUESTS)
async def test_a_client_that_may_do_more_is_out_of_reach(
    api: Api, method: str, suffix: str, body: dict[str, Any] | None
) -> None:
    """With clients:admin alone the admin's secret was rotated (200, every scope) and the admin disabled (204)."""
    headers = await headers_of(api, NARROW)
    wider, _ = await made(api, WIDER)
    for client_id in (ADMIN_ID, wider.client_id):
        before = await api.services.clients.get(client_id)
        path = f"/v1/clients/{client_id}{suffix}"
        await api.refused(method, path, 403, "scope_not_yours", "scopes", json=body, headers=headers)
        assert await api.services.clients.get(client_id) == before
    assert await api.token(ADMIN_ID, ADMIN_SECRET)


@pytest.mark.parametrize(("method", "suffix", "body"), REQUESTS)
async def test_a_client_that_may_do_as_much_can_be_changed(
    api: Api, method: str, suffix: str, body: dict[str, Any] | None
) -> None:
    headers, (other, _) = await headers_of(api, WIDER), await made(api, WIDER)
    answer = await api.ask(method, f"/v1/clients/{other.client_id}{suffix}", json=body, headers=headers)
    assert answer.status in (200, 204)


async def test_a_disabled_client_is_enabled_only_by_one_that_may_do_as_much(api: Api) -> None:
    wider, _ = await made(api, WIDER)
    await api.services.clients.disable(wider.client_id)
    path, body = f"/v1/clients/{wider.client_id}", {"disabled": False}
    await api.refused("PATCH", path, 403, "scope_not_yours", "scopes", json=body, headers=await headers_of(api, NARROW))
    await api.json("PATCH", path, 200, json=body, headers=await headers_of(api, WIDER))


@pytest.mark.parametrize("rate", [0, 6, None])
async def test_a_rate_is_raised_by_nobody_who_is_limited_to_less(api: Api, rate: float | None) -> None:
    limited, secret = await made(api, NARROW, rate_per_s=5.0)
    headers, path = await api.bearer(limited.client_id, secret), f"/v1/clients/{limited.client_id}"
    await api.refused("PATCH", path, 403, "right_not_yours", "rate", json={"rate": rate}, headers=headers)
    await api.refused(
        "POST", "/v1/clients", 403, "right_not_yours", "rate", json={"scopes": [*NARROW], "rate": rate}, headers=headers
    )
    await api.json("PATCH", path, 200, json={"rate": 4}, headers=headers)


async def test_an_unlimited_client_is_out_of_reach_of_a_limited_one(api: Api) -> None:
    headers, (free, _) = await headers_of(api, NARROW, rate_per_s=5.0), await made(api, NARROW)
    await api.refused("POST", f"/v1/clients/{free.client_id}/rotate", 403, "right_not_yours", "rate", headers=headers)
    await api.refused("DELETE", f"/v1/clients/{free.client_id}", 403, "right_not_yours", "rate", headers=headers)


async def test_rights_are_judged_by_what_is_stored_at_that_moment(api: Api) -> None:
    headers, (other, _) = await headers_of(api, NARROW), await made(api, NARROW)
    tag = (await api.ask("GET", f"/v1/clients/{other.client_id}")).headers["ETag"]
    await api.services.clients.put(replace(other, scopes=frozenset(WIDER)))
    path = f"/v1/clients/{other.client_id}/rotate"
    await api.refused("POST", path, 403, "scope_not_yours", "scopes", headers=headers)
    await api.refused("POST", path, 412, "precondition_failed", headers=headers | {"If-Match": tag})


async def test_a_token_with_fewer_scopes_than_its_client_gives_only_those(api: Api) -> None:
    headers = await api.bearer(scope="clients:admin")
    await api.refused("POST", f"/v1/clients/{ADMIN_ID}/rotate", 403, "scope_not_yours", "scopes", headers=headers)


async def test_waiting_for_an_event_ends_with_the_scope(api: Api) -> None:
    event_id = (await api.emit())["id"]
    client, secret = await made(api, {"events:read", "ops:read"})
    headers = await api.bearer(client.client_id, secret)
    waiting = asyncio.create_task(api.ask("GET", f"/v1/events/{event_id}?wait=30", headers=headers))
    await asyncio.sleep(0.1)
    await api.services.clients.put(replace(client, scopes=frozenset({"ops:read"})))
    api.clock.now_s += RECHECK_S + 1
    answer = await asyncio.wait_for(waiting, 30)
    assert answer.status == 403
    assert (await answer.json())["errors"][0]["code"] == "insufficient_scope"


async def test_an_inbound_client_is_made_by_those_who_may_read_and_end_its_events(api: Api) -> None:
    """With integrations:write alone the events of any integration could be read by way of such a pair."""
    (integration,) = (await api.services.definitions.integrations(None, 1)).items
    query = f'mutation {{ generateProductIntegrationInboundClient(input: {{id: "{integration.id}"}}) '
    query += "{ clientId userErrors { code message } } }"

    async def asked(*scopes: str) -> Any:
        headers = await headers_of(api, set(scopes))
        body = await api.json("POST", "/graphql", 200, json={"query": query}, headers=headers)
        return body["data"]["generateProductIntegrationInboundClient"]

    refused = await asked("integrations:write", "events:write")
    assert refused["clientId"] is None
    assert [one["code"] for one in refused["userErrors"]] == ["scope_not_yours"]
    assert "events:read" in refused["userErrors"][0]["message"]
    assert (await asked("integrations:write", "events:write", "deliveries:read"))["clientId"]
