"""Suspended URLs over REST and GraphQL: seen and enabled by operators, and by publishers within their reach."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.integration import Integration, Revision
from tests.api.conftest import Api, publish
from tests.api.tenants import Tenant
from tests.api.town import pairs, town

__all__ = ["town"]

GONE, OTHER = "https://host.example/gone", "https://host.example/other"
OLD = "https://host.example/long-replaced"


@pytest.fixture
async def integration(api: Api) -> Integration:
    made = await publish(api.services, Revision(urls={"createUrl": GONE, "cancelUrl": GONE, "upgradeUrl": OTHER}))
    for url in (GONE, OTHER, OLD):
        await api.services.queue.suspend_url(made.id, url)
    return made


async def listed(api: Api, integration: Integration) -> set[tuple[str | None, str, bool]]:
    body = await api.json("GET", f"/v1/definitions/{integration.app_market_id}/suspended-urls", 200)
    assert all(one["since"].endswith("Z") for one in body["data"])
    return {(one["eventType"], one["url"], one["published"]) for one in body["data"]}


async def enable(api: Api, integration: Integration, kind: str, **more: Any) -> Any:
    return await api.json("POST", f"/v1/definitions/{integration.id}/suspended-urls/{kind}/enable", 200, **more)


async def test_urls_are_listed_by_the_types_that_go_there(api: Api, integration: Integration) -> None:
    assert await listed(api, integration) == {
        ("SUBSCRIPTION_ORDER", GONE, True),
        ("SUBSCRIPTION_CANCEL", GONE, True),
        ("SUBSCRIPTION_CHANGE", OTHER, True),
        (None, OLD, False),
    }


async def test_one_type_is_enabled_and_the_others_stay(api: Api, integration: Integration) -> None:
    for was_suspended in (True, False):
        body = await enable(api, integration, "create")
        named = {"integrationId": integration.id, "eventType": "SUBSCRIPTION_ORDER"}
        assert body == named | {"wasSuspended": was_suspended, "released": 0}
        assert await listed(api, integration) == {("SUBSCRIPTION_CHANGE", OTHER, True)}
    path = f"/v1/definitions/{integration.id}/suspended-urls/nothing/enable"
    await api.refused("POST", path, 404, "not_found", "type")


@pytest.mark.parametrize("scope", ["ops:write", "integrations:write"])
async def test_either_right_enables(api: Api, integration: Integration, scope: str) -> None:
    headers = await api.bearer_of_new(scope)
    await enable(api, integration, "SUBSCRIPTION_CHANGE", headers=headers)
    reader = await api.bearer_of_new("ops:read", "integrations:read", "events:write")
    path = f"/v1/definitions/{integration.id}/suspended-urls/create/enable"
    await api.refused("POST", path, 403, "insufficient_scope", headers=reader)


async def test_enabling_is_noted(api: Api, integration: Integration) -> None:
    await enable(api, integration, "create")
    entry = (await api.json("GET", "/v1/audit?limit=1", 200))["data"][0]
    assert (entry["action"], entry["objectId"]) == ("enableSuspendedUrl", integration.id)
    assert entry["after"] == {"eventType": "SUBSCRIPTION_ORDER"}


async def test_a_vendor_sees_and_enables_what_is_its_own(town: list[Tenant]) -> None:
    for mine, other in pairs(town[:2]):
        await mine.api.services.queue.suspend_url(mine.id, f"https://host.example/{mine.product}")
        path = f"/v1/definitions/{mine.id}/suspended-urls"
        await mine.api.refused("GET", path, 404, "not_found", "id", headers=other.headers)
        await mine.api.refused("POST", f"{path}/create/enable", 404, "not_found", "id", headers=other.headers)
        wanted = "productIntegration { suspendedUrls { url } } released wasSuspended"
        text = f'id: "{mine.id}", eventType: SUBSCRIPTION_ORDER'
        payload = await mine.mutate("enableProductIntegrationSuspendedUrl", text, wanted)
        assert (payload["userErrors"], payload["released"]) == ([], 0)
        assert payload["productIntegration"] == {"suspendedUrls": []}
