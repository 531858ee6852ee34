"""Rights of a vendor over its own, their bounds, and matters that only the marketplace decides."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.status import Status
from dispatcher.store.definitions import editing, products
from dispatcher.store.installations.recount import recount_installed
from tests.api.conftest import Api
from tests.api.role_objects import Shop
from tests.api.tenants import EVERYTHING, Tenant, bearer
from tests.api.test_stream import Listener
from tests.api.town import answer_of, pairs, town, without
from tests.waiting import until

__all__ = ["town"]


async def test_events_are_emitted_for_products_of_ones_own(town: list[Tenant]) -> None:
    for mine, other in pairs(town):
        foreign = await mine.api.emit(422, headers=mine.headers, productId=other.product)
        absent = await mine.api.emit(422, headers=mine.headers, productId="never linked")
        assert without(foreign) == without(absent)
        assert foreign["errors"][0]["code"] == "product_not_linked"


async def test_products_of_another_vendor_cannot_be_linked(town: list[Tenant]) -> None:
    for mine, other in pairs(town):
        payload = await mine.mutate(
            "linkProductIntegration", f'productId: "{other.product}", integrationId: "{mine.id}"'
        )
        assert payload["userErrors"][0]["code"] == "product_not_yours"
        unlinked = await mine.mutate(
            "unlinkProductIntegration", f'productId: "{other.product}", integrationId: "{mine.id}"'
        )
        assert unlinked["userErrors"][0]["code"] == "not_linked"
    for tenant in town:
        product = await tenant.api.services.definitions.product(tenant.product)
        assert product is not None
        assert product.integration_id == tenant.id


async def test_a_product_stays_its_vendors_when_it_is_unlinked(town: list[Tenant]) -> None:
    acme, brick, marketplace = town
    await acme.mutate("unlinkProductIntegration", f'productId: "{acme.product}", integrationId: "{acme.id}"')
    taken = await brick.mutate("linkProductIntegration", f'productId: "{acme.product}", integrationId: "{brick.id}"')
    assert taken["userErrors"][0]["code"] == "product_not_yours"
    moved = await marketplace.mutate(
        "linkProductIntegration", f'productId: "{acme.product}", integrationId: "{brick.id}"'
    )
    assert moved["userErrors"] == []
    refused = await acme.mutate("linkProductIntegration", f'productId: "{acme.product}", integrationId: "{acme.id}"')
    assert refused["userErrors"][0]["code"] == "product_not_yours"


async def test_whose_an_integration_is_only_the_marketplace_decides(town: list[Tenant]) -> None:
    acme, brick, marketplace = town
    for name, text in (
        ("createProductIntegration", 'vendorId: "brick"'),
        ("updateProductIntegration", f'id: "{acme.id}", vendorId: "brick"'),
        ("updateProductIntegration", f'id: "{acme.id}", vendorId: null'),
    ):
        assert (await acme.mutate(name, text))["userErrors"][0]["code"] == "vendor_restricted", text
    given = await marketplace.mutate(
        "updateProductIntegration", f'id: "{marketplace.id}", vendorId: "brick"', "productIntegration { vendorId }"
    )
    assert given["productIntegration"] == {"vendorId": "brick"}
    listed = (await brick.graph("{ productIntegrations { id } }"))["data"]["productIntegrations"]
    assert {one["id"] for one in listed} == {brick.id, marketplace.id}
    assert (await answer_of(brick.api, "GET", f"/v1/events/{marketplace.event_id}", brick))[0] == 200
    assert (await brick.graph(f'{{ product(id: "{marketplace.product}") {{ id }} }}'))["data"]["product"]


async def test_bulk_redelivery_takes_the_vendors_own_and_shows_it_to_nobody_else(town: list[Tenant]) -> None:
    acme, brick, marketplace = town
    started = await acme.api.json("POST", "/v1/redeliveries", 202, json={"filter": {}}, headers=acme.headers)
    assert started["matched"] == 1
    job = f"/v1/redeliveries/{started['id']}"

    async def done() -> Any:
        body = await acme.api.json("GET", job, 200, headers=acme.headers)
        return body if body["state"] == "DONE" else None

    assert (await until(done))["done"] == 1
    await acme.api.refused("GET", job, 404, "not_found", headers=brick.headers)
    assert (await acme.api.ask("GET", job, headers=marketplace.headers)).status == 200
    left = await acme.api.json("GET", "/v1/events?status=DEAD", 200, headers=marketplace.headers)
    assert {one["id"] for one in left["data"]} == {brick.event_id, marketplace.event_id}
    foreign = {"filter": {"integrationId": brick.id}}
    none = await acme.api.json("POST", "/v1/redeliveries", 202, json=foreign, headers=acme.headers)
    assert none == {"id": None, "matched": 0, "exact": True}
    for tenant, seen in ((acme, 1), (brick, 0), (marketplace, 1)):
        listed = await acme.api.json("GET", "/v1/redeliveries", 200, headers=tenant.headers)
        assert len(listed["data"]) == seen
    await acme.api.refused("GET", f"{job}/items", 404, "not_found", headers=brick.headers)
    await acme.api.refused("DELETE", job, 404, "not_found", headers=brick.headers)


async def test_the_stream_tells_a_vendor_of_its_own_events(town: list[Tenant]) -> None:
    acme, brick, _ = town
    answer = await acme.api.http.get("/v1/events/stream", headers=acme.headers)
    try:
        await acme.api.emit(productId=brick.product, accountId="A-1")
        mine = await acme.api.emit(productId=acme.product, accountId="A-1")
        await acme.mutate("createProductIntegration", 'name: "new", createUrl: "https://host.example/new"')
        assert (await Listener(answer).next())["eventId"] == mine["id"]
        await acme.hand.settle(mine["id"], Status.DEAD)
        seen = Listener(answer)
        while (message := await seen.next())["status"] != "DEAD":
            assert message["integrationId"] == acme.id
        assert message["eventId"] == mine["id"]
    finally:
        answer.close()


async def test_fleet_wide_views_are_not_for_vendors(town: list[Tenant]) -> None:
    api = town[0].api
    headers = await bearer(api, *EVERYTHING, "clients:admin", vendor_id="acme")
    for path in ("/v1/queue", "/v1/clients", "/v1/audit"):
        await api.refused("GET", path, 403, "vendor_restricted", headers=headers)


async def test_an_inbound_client_reaches_its_integrations_events_only(town: list[Tenant]) -> None:
    api = town[0].api
    for mine, other in pairs(town):
        pair = await mine.mutate("generateProductIntegrationInboundClient", f'id: "{mine.id}"', "clientId clientSecret")
        headers = await api.bearer(pair["clientId"], pair["clientSecret"])
        path = "/api/integration/v1/events/{}"
        assert (await api.ask("GET", path.format(mine.event_id), headers=headers)).status == 200
        await api.refused("GET", path.format(other.event_id), 403, "not_your_event", headers=headers)


async def test_definitions_from_before_vendors_are_the_marketplaces_alone(town: list[Tenant], api: Api) -> None:
    """The fixture ``api`` stores its integration and its product without an owner, as older versions did."""
    product = await api.services.definitions.product("P-1")
    assert product is not None
    for mine in town[:2]:
        found = await mine.graph(f'{{ productIntegration(id: "{product.integration_id}") {{ id }} }}')
        assert found["data"] == {"productIntegration": None}
        payload = await mine.mutate("linkProductIntegration", f'productId: "P-1", integrationId: "{mine.id}"')
        assert payload["userErrors"][0]["code"] == "product_not_yours"


async def test_bi46_a_vendor_has_so_many_integrations(town: list[Tenant], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing, "MAX_INTEGRATIONS", 2)
    acme, brick, marketplace = town
    assert (await acme.mutate("createProductIntegration", 'name: "second"'))["userErrors"] == []
    refused = await acme.mutate("createProductIntegration", 'name: "third"')
    assert refused["userErrors"][0]["code"] == "limit_reached"
    for other in (brick, marketplace):
        assert (await other.mutate("createProductIntegration", 'name: "more"'))["userErrors"] == []


async def test_bi46_an_integration_has_so_many_products(town: list[Tenant], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "MAX_LINKED_PRODUCTS", 2)
    acme = town[0]
    codes = []
    for product in ("P-2", "P-3", "P-2"):
        payload = await acme.mutate("linkProductIntegration", f'productId: "{product}", integrationId: "{acme.id}"')
        codes.append([one["code"] for one in payload["userErrors"]])
    assert codes == [[], ["limit_reached"], []]


async def test_a_product_that_a_vendor_only_claims_is_its_own_affair(town: list[Tenant]) -> None:
    """A vendor took an id before its owner came, and was sent what the marketplace emitted for it."""
    acme, brick, marketplace = town
    api, product = acme.api, "crm-of-brick"
    claimed = await acme.mutate(
        "linkProductIntegration",
        f'productId: "{product}", integrationId: "{acme.id}"',
        "product { claimed } warnings",
    )
    assert (claimed["userErrors"], claimed["product"]["claimed"]) == ([], True)
    assert "claimed" in claimed["warnings"][0]
    await api.emit(headers=acme.headers, productId=product)
    refused = await api.emit(422, headers=marketplace.headers, productId=product)
    assert refused["errors"][0]["code"] == "product_not_linked"
    assert "claimed" in refused["errors"][0]["message"]
    launched = await api.ask("GET", f"/launch/products/{product}", allow_redirects=False)
    assert launched.status == 404
    other = await brick.mutate("linkProductIntegration", f'productId: "{product}", integrationId: "{brick.id}"')
    assert other["userErrors"][0]["code"] == "product_not_yours"


async def test_the_marketplace_settles_whose_a_claimed_product_is(town: list[Tenant]) -> None:
    acme, brick, marketplace = town
    api = acme.api
    for product in ("hers", "not-hers"):
        await acme.mutate("linkProductIntegration", f'productId: "{product}", integrationId: "{acme.id}"')
        described = f'id: "{product}", name: "as acme says", editions: []'
        assert (await acme.mutate("updateProduct", described, "product { claimed }"))["product"] == {"claimed": True}
    for product, owner, name in (("hers", acme, "as acme says"), ("not-hers", brick, None)):
        settled = await marketplace.mutate(
            "linkProductIntegration",
            f'productId: "{product}", integrationId: "{owner.id}"',
            "product { claimed integrationId name }",
        )
        assert settled["userErrors"] == []
        assert settled["product"] == {"claimed": False, "integrationId": owner.id, "name": name}
        emitted = await api.emit(headers=marketplace.headers, productId=product)
        stored = await api.services.queue.get(emitted["id"])
        assert stored is not None
        assert stored.event.integration_id == owner.id
    taken = await acme.mutate("linkProductIntegration", f'productId: "not-hers", integrationId: "{acme.id}"')
    assert taken["userErrors"][0]["code"] == "product_not_yours"


async def test_a_product_that_was_described_before_it_was_linked_is_a_claim_too(town: list[Tenant]) -> None:
    acme, brick, marketplace = town
    described = await acme.api.ask("PUT", "/v1/products/new", json={"name": "Mine"}, headers=acme.headers)
    assert (await described.json())["claimed"] is True
    await acme.api.refused(
        "PUT", "/v1/products/new", 403, "product_not_yours", "productId", json={}, headers=brick.headers
    )
    shown = await acme.api.json("GET", "/v1/products/new", 200, headers=marketplace.headers)
    assert (shown["claimed"], shown["vendorId"]) == (True, "acme")


async def test_products_of_clients_of_no_vendor_are_settled_at_once(town: list[Tenant]) -> None:
    marketplace = town[2]
    made = await marketplace.mutate(
        "linkProductIntegration",
        f'productId: "anything", integrationId: "{marketplace.id}"',
        "product { claimed } warnings",
    )
    assert (made["product"]["claimed"], made["warnings"]) == (False, [])


async def test_another_vendors_account_is_as_one_that_was_never_there(town: list[Tenant]) -> None:
    acme, brick, _ = town
    api, shop = acme.api, Shop(acme.api, brick, brick.account, 28)
    await shop.open()
    asked = {"name": "Mine", "_connectorId": acme.integration["connectorId"]}
    everything = await bearer(api, *EVERYTHING, "installations:read", "installations:write", vendor_id="acme")
    seen = []
    for account in (brick.account, "A-absent"):
        made = await api.json("POST", "/v1/integrations", 201, json=asked | {"_accountId": account}, headers=everything)
        [order] = (await api.json("GET", f"/v1/events?accountId={account}", 200, headers=everything))["data"]
        event = await api.json("GET", f"/v1/events/{order['id']}", 200, headers=everything)
        assert event["payload"]["company"]["name"] == account
        body = {"type": "create", "productId": acme.product, "accountId": account, "subscriptionId": "theirs"}
        await api.json("POST", "/v1/events", 202, json=body, headers=everything)
        found = await api.json("GET", "/v1/integrations", 200, headers=everything)
        seen.append((sorted(made), [one["_id"] for one in found if one.get("_accountId") == account] == [made["_id"]]))
        theirs = await bearer(api, "installations:read", account_id=account)
        status = (await api.http.get(f"/v1/integrations/{made['_id']}", headers=theirs)).status
        listed = await api.json("GET", "/v1/integrations", 200, headers=theirs)
        assert (status, len(listed)) == ((404, 0) if account == brick.account else (200, 1))
    assert seen[0] == seen[1]
    assert (await recount_installed(api.redis)).well
