"""Publishers make marketplaces; each reaches its own, and a partner those that it is bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model.access import Scope
from tests.api.conftest import PRODUCT, Api

PUBLISHER = frozenset({Scope.INTEGRATIONS_READ.value, Scope.INTEGRATIONS_WRITE.value})
FULL: dict[str, Any] = {
    "id": 27,
    "name": "Acme",
    "productIds": [PRODUCT],
    "notificationUrl": "https://shop.example.com/hook",
    "allowedOrigins": ["https://shop.example.com", "http://localhost:8123"],
    "brand": {"accent": "#0b6b4a", "language": "de", "logo": "/logo.png"},
    "confirm": True,
}


async def vendor(api: Api, vendor_id: str) -> dict[str, str]:
    client, secret = await api.services.clients.create(PUBLISHER, "vendor", None, 0, vendor_id=vendor_id)
    return await api.bearer(client.client_id, secret)


async def partner(api: Api, *marketplaces: int) -> dict[str, str]:
    scopes = frozenset({Scope.MARKETPLACE_PARTNER.value})
    client, secret = await api.services.clients.create(scopes, "partner", None, 0, marketplaces=marketplaces)
    return await api.bearer(client.client_id, secret)


async def test_a_marketplace_is_shown_as_it_was_made(api: Api) -> None:
    made = await api.json("POST", "/v1/marketplaces", 201, json=FULL)
    assert made["signingSecret"].startswith("whsec_")
    assert {name: made[name] for name in FULL} == FULL
    shown = await api.json("GET", "/v1/marketplaces/27", 200)
    assert shown == {name: value for name, value in made.items() if name != "signingSecret"}
    assert await api.json("GET", "/v1/marketplaces", 200) == {"data": [shown]}


async def test_ids_are_counted_from_1_past_those_that_were_given(api: Api) -> None:
    given = await api.json("POST", "/v1/marketplaces", 201, json={"id": 2, "name": "Second"})
    made = [await api.json("POST", "/v1/marketplaces", 201, json={"name": "More"}) for _ in range(2)]
    assert [given["id"], *(one["id"] for one in made)] == [2, 1, 3]


async def test_an_id_is_given_once(api: Api) -> None:
    await api.json("POST", "/v1/marketplaces", 201, json=FULL)
    problem = await api.json("POST", "/v1/marketplaces", 409, json={"id": 27, "name": "Other"})
    assert (problem["errors"][0]["code"], problem["errors"][0]["field"]) == ("already_exists", "id")


async def test_a_change_replaces_everything_but_id_and_key(api: Api) -> None:
    await api.json("POST", "/v1/marketplaces", 201, json=FULL)
    changed = await api.json("PUT", "/v1/marketplaces/27", 200, json={"name": "Renamed"})
    assert (changed["id"], changed["productIds"], changed["brand"]["accent"]) == (27, [], None)
    stored = await api.services.marketplaces.get(27)
    assert len(stored.signing_secrets) == 1


async def test_a_change_of_what_was_changed_meanwhile_is_refused(api: Api) -> None:
    await api.json("POST", "/v1/marketplaces", 201, json=FULL)
    tag = (await api.ask("GET", "/v1/marketplaces/27")).headers["ETag"]
    await api.json("PUT", "/v1/marketplaces/27", 200, json={"name": "First"}, headers={"If-Match": tag})
    await api.json("PUT", "/v1/marketplaces/27", 412, json={"name": "Second"}, headers={"If-Match": tag})
    assert (await api.json("GET", "/v1/marketplaces/27", 200))["name"] == "First"


async def test_a_deleted_marketplace_is_gone(api: Api) -> None:
    await api.json("POST", "/v1/marketplaces", 201, json=FULL)
    assert (await api.ask("DELETE", "/v1/marketplaces/27")).status == 204
    for method in ("GET", "DELETE"):
        await api.json(method, "/v1/marketplaces/27", 404)
    assert await api.json("GET", "/v1/marketplaces", 200) == {"data": []}


async def test_a_new_key_signs_beside_the_old_one(api: Api) -> None:
    first = await api.json("POST", "/v1/marketplaces", 201, json=FULL)
    second = await api.json("POST", "/v1/marketplaces/27/rotate", 200)
    assert second["signingSecret"] != first["signingSecret"]
    newest, former = (await api.services.marketplaces.get(27)).signing_secrets
    assert newest.not_after_ms is None
    assert former.not_after_ms == api.services.now_ms() + 86_400_000


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"id": 0}, "id"),
        ({"id": "27"}, "id"),
        ({"id": 2**31}, "id"),
        ({"productIds": ["P", "P"]}, "productIds"),
        ({"productIds": ["a\u0000b"]}, "productIds.0"),
        ({"notificationUrl": "ftp://example.com"}, "notificationUrl"),
        ({"notificationUrl": "http://169.254.169.254/"}, "notificationUrl"),
        ({"allowedOrigins": ["https://example.com/"]}, "allowedOrigins.0"),
        ({"allowedOrigins": ["*"]}, "allowedOrigins.0"),
        ({"allowedOrigins": ["https://EXAMPLE.com"]}, "allowedOrigins.0"),
        ({"allowedOrigins": ["https://a.example https://b.example"]}, "allowedOrigins.0"),
        ({"allowedOrigins": ["https://example.com; script-src *"]}, "allowedOrigins.0"),
        ({"brand": {"accent": "#ffff00"}}, "brand.accent"),
        ({"brand": {"logo": "https://cdn.example.com/a.png"}}, "brand.logo"),
        ({"brand": {"colour": "#000000"}}, "brand.colour"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_made(api: Api, wrong: dict[str, Any], field: str) -> None:
    refused = await api.json("POST", "/v1/marketplaces", 422, json={"name": "Acme"} | wrong)
    assert field in [one["field"] for one in refused["errors"]]
    assert await api.json("GET", "/v1/marketplaces", 200) == {"data": []}


async def test_vendors_reach_their_own_marketplaces_only(api: Api) -> None:
    ours, theirs = await vendor(api, "ours"), await vendor(api, "theirs")
    await api.json("POST", "/v1/marketplaces", 201, json={"id": 1, "name": "Nobody's"})
    await api.json("POST", "/v1/marketplaces", 201, json={"id": 2, "name": "Ours"}, headers=ours)
    assert [one["id"] for one in (await api.json("GET", "/v1/marketplaces", 200, headers=ours))["data"]] == [2]
    assert (await api.json("GET", "/v1/marketplaces", 200, headers=theirs))["data"] == []
    for method, body in (("GET", None), ("PUT", {"name": "Mine"}), ("DELETE", None)):
        await api.json(method, "/v1/marketplaces/2", 404, json=body, headers=theirs)
    await api.json("POST", "/v1/marketplaces/2/rotate", 404, headers=theirs)
    assert (await api.json("GET", "/v1/marketplaces/2", 200))["vendorId"] == "ours"


async def test_a_vendors_marketplace_holds_no_product_of_another(api: Api) -> None:
    ours = await vendor(api, "ours")
    refused = await api.json("POST", "/v1/marketplaces", 422, json=FULL, headers=ours)
    assert refused["errors"][0]["code"] == "unknown_product"


async def test_a_marketplace_takes_products_that_are_there_and_keeps_those_that_it_has(api: Api) -> None:
    refused = await api.json("POST", "/v1/marketplaces", 422, json=FULL | {"productIds": [PRODUCT, "no-such"]})
    [problem] = refused["errors"]
    assert (problem["code"], problem["field"]) == ("unknown_product", "productIds.1")
    assert "no-such" in problem["message"]
    await api.json("POST", "/v1/marketplaces", 201, json=FULL)
    path, held = f"/v1/marketplaces/{FULL['id']}", [PRODUCT, "gone"]
    await api.services.marketplaces.edit(FULL["id"], lambda one: replace(one, product_ids=tuple(held)))
    assert (await api.json("PUT", path, 200, json=FULL | {"productIds": held}))["productIds"] == held
    await api.json("PUT", path, 422, json=FULL | {"productIds": [*held, "another"]})


async def test_partners_see_the_marketplaces_that_they_are_bound_to_and_change_none(api: Api) -> None:
    for number in (27, 28):
        await api.json("POST", "/v1/marketplaces", 201, json={"id": number, "name": "Shop"})
    bound = await partner(api, 27)
    assert [one["id"] for one in (await api.json("GET", "/v1/marketplaces", 200, headers=bound))["data"]] == [27]
    await api.json("GET", "/v1/marketplaces/28", 404, headers=bound)
    await api.json("PUT", "/v1/marketplaces/27", 403, json={"name": "Mine"}, headers=bound)


async def test_clients_of_some_marketplaces_reach_nothing_else(api: Api) -> None:
    scopes = frozenset({Scope.MARKETPLACE_PARTNER.value, Scope.EVENTS_READ.value, Scope.INTEGRATIONS_READ.value})
    client, secret = await api.services.clients.create(scopes, "partner", None, 0, marketplaces=(27,))
    bound = await api.bearer(client.client_id, secret)
    refused = await api.json("GET", "/v1/events", 403, headers=bound)
    assert refused["errors"][0]["code"] == "marketplace_restricted"
    answer = await api.ask("POST", "/graphql", json={"query": "{ productIntegrations { id } }"}, headers=bound)
    assert answer.status == 403


async def test_changes_are_in_the_audit_log_without_the_key(api: Api) -> None:
    made = await api.json("POST", "/v1/marketplaces", 201, json=FULL)
    await api.json("PUT", "/v1/marketplaces/27", 200, json={"name": "Renamed"})
    await api.json("POST", "/v1/marketplaces/27/rotate", 200)
    await api.ask("DELETE", "/v1/marketplaces/27")
    log = await api.json("GET", "/v1/audit?objectId=27", 200)
    actions = [one["action"] for one in reversed(log["data"])]
    assert actions == ["createMarketplace", "changeMarketplace", "rotateMarketplaceKey", "deleteMarketplace"]
    assert {one["kind"] for one in log["data"]} == {"marketplace"}
    assert made["signingSecret"] not in str(log)


async def test_a_host_application_is_bound_to_marketplaces(api: Api) -> None:
    refused = await api.json("POST", "/v1/clients", 422, json={"role": "host-application"})
    assert refused["errors"][0]["field"] == "role"
    made = await api.json("POST", "/v1/clients", 201, json={"role": "host-application", "marketplaces": [27]})
    assert made["marketplaces"] == [27]
    assert Scope.MARKETPLACE_PARTNER in made["scopes"]
    changed = await api.json("PATCH", f"/v1/clients/{made['clientId']}", 200, json={"marketplaces": [27, 28]})
    assert changed["marketplaces"] == [27, 28]
