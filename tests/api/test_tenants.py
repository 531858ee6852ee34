"""Tenants tried pairwise over every surface: what is another's is answered as what was never there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from dispatcher.ids import new_event_id, new_hex24, new_uuid
from dispatcher.model.status import Status
from dispatcher.store import definitions as definition_store
from tests.api.conftest import Api, Start
from tests.api.tenants import EVERYTHING, Tenant, bearer, settle_in
from tests.api.test_stream import Listener
from tests.api.worker_hand import WorkerHand

EVENT_PATHS = (
    ("GET", "/v1/events/{}"),
    ("GET", "/v1/events/{}/attempts"),
    ("GET", "/v1/events/{}/explain"),
    ("POST", "/v1/events/{}/redeliver"),
    ("POST", "/v1/events/{}/resolve"),
)
LANE_PATHS = (("POST", "/v1/lanes/{}/pause"), ("POST", "/v1/lanes/{}/resume"))
MUTATIONS = {
    "updateProductIntegration": 'id: "{}", name: "mine now"',
    "publishProductIntegration": 'integrationId: "{}"',
    "deleteProductIntegration": 'id: "{}"',
    "linkProductIntegration": 'integrationId: "{}", productId: "new-product"',
    "unlinkProductIntegration": 'integrationId: "{}", productId: "new-product"',
    "addProductIntegrationBookmarkConfiguration": 'integrationConfigurationId: "{}", landingUrl: "https://a.example"',
    "addProductIntegrationOpenIdConnectConfiguration": 'integrationConfigurationId: "{}", redirectUrls: [],'
    " grantTypes: [AUTHORIZATION_CODE], clientCreationMethod: PER_SUBSCRIPTION",
    "updateProductIntegrationOpenIdConnectConfiguration": 'integrationConfigurationId: "{}", redirectUrls: []',
    "removeProductIntegrationSingleSignOnConfiguration": 'integrationConfigurationId: "{}"',
    "generateProductIntegrationInboundClient": 'id: "{}"',
    "rotateProductIntegrationSigningSecret": 'id: "{}"',
    "scheduleProductIntegrationSigningKeyRotation": 'id: "{}", everyDays: 30',
    "triggerProductIntegrationPingTest": 'id: "{}"',
    "testProductIntegrationCredentials": 'id: "{}", outboundCredentials: {{ type: NONE }}',
}
"""Every mutation but the one that creates; what names the integration is left open."""
QUERIES = (
    '{{ productIntegration(id: "{}") {{ id name lastTest {{ id }} revisions {{ id }} }} }}',
    '{{ productIntegration(id: "{}", version: PUBLISHED) {{ id signingSecrets {{ createdOn }} }} }}',
)


@pytest.fixture
async def town(start: Start) -> list[Tenant]:
    """Two vendors, and what belongs to none."""
    api = await start()
    hand = WorkerHand(api)
    return [
        await settle_in(hand, api, "acme", "P-acme", "A-acme"),
        await settle_in(hand, api, "brick", "P-brick", "A-brick"),
        await settle_in(hand, api, None, "P-nobody", "A-nobody"),
    ]


def pairs(town: list[Tenant]) -> Iterator[tuple[Tenant, Tenant]]:
    """A vendor, and another tenant whose things do not exist for it."""
    return ((mine, other) for mine, other in permutations(town, 2) if mine.vendor_id is not None)


def without(body: Any, *named: object) -> str:
    """The body as text, without what differs between any two requests."""
    text = json.dumps({**body, "requestId": None, "extensions": None}, sort_keys=True)
    for one in named:
        text = text.replace(str(one), "ID")
    return text


async def answer_of(api: Api, method: str, path: str, tenant: Tenant) -> tuple[int, Any]:
    answer = await api.http.request(method, path, headers=tenant.headers)
    return answer.status, await answer.json()


async def test_bi35_events_of_another_vendor_are_answered_as_absent(town: list[Tenant]) -> None:
    api, absent = town[0].api, new_event_id(1_800_000_000_000, 1)
    for mine, other in pairs(town):
        for method, path in EVENT_PATHS:
            status, body = await answer_of(api, method, path.format(other.event_id), mine)
            expected = await answer_of(api, method, path.format(absent), mine)
            assert (status, without(body)) == (404, without(expected[1])), path
            if method == "GET":
                assert (await answer_of(api, method, path.format(mine.event_id), mine))[0] == 200, path


async def test_bi35_lanes_of_another_vendor_are_answered_as_absent(town: list[Tenant]) -> None:
    api = town[0].api
    for mine, other in pairs(town):
        for method, path in LANE_PATHS:
            for any_id in other.integration.values():
                if any_id is None or any_id == other.vendor_id:
                    continue
                status, body = await answer_of(api, method, path.format(any_id), mine)
                expected = await answer_of(api, method, path.format(new_uuid()), mine)
                assert (status, without(body)) == (404, without(expected[1])), path
            assert (await answer_of(api, method, path.format(mine.id), mine))[0] == 200


async def test_bi35_mutations_of_another_vendors_integration_are_answered_as_absent(town: list[Tenant]) -> None:
    absent = {"id": new_uuid(), "appMarketId": 34826, "connectorId": new_hex24()}
    for mine, other in pairs(town):
        for kind, no_one in absent.items():
            foreign = other.integration[kind]
            for name, text in MUTATIONS.items():
                refused = await mine.mutate(name, text.format(foreign))
                expected = await mine.mutate(name, text.format(no_one))
                assert refused["userErrors"][0]["code"] == "not_found", refused
                assert without(refused, foreign) == without(expected, no_one)


async def test_every_mutation_is_tried() -> None:
    from dispatcher.api.graphql.schema import build_schema

    mutations = build_schema()._schema.mutation_type
    assert mutations is not None
    assert {*MUTATIONS, "createProductIntegration"} == set(mutations.fields)


async def test_bi35_queries_find_nothing_of_another_vendor(town: list[Tenant]) -> None:
    for mine, other in pairs(town):
        for query in QUERIES:
            for kind in ("id", "appMarketId", "connectorId"):
                found = await mine.graph(query.format(other.integration[kind]))
                assert found["data"] == {"productIntegration": None}
                assert (await mine.graph(query.format(mine.integration[kind])))["data"]["productIntegration"]
        product = '{{ product(id: "{}") {{ id productIntegration {{ id }} lastTest {{ id }} }} }}'
        assert (await mine.graph(product.format(other.product)))["data"] == {"product": None}
        assert (await mine.graph(product.format(mine.product)))["data"]["product"]["id"] == mine.product


async def test_lists_hold_what_is_the_vendors(town: list[Tenant]) -> None:
    everything = {tenant.id for tenant in town}
    listed = "{ productIntegrations { id } productIntegrationPage { nodes { id } } }"
    for tenant in town:
        mine = {tenant.id} if tenant.vendor_id else everything
        data = (await tenant.graph(listed))["data"]
        assert {one["id"] for one in data["productIntegrations"]} == mine
        assert {one["id"] for one in data["productIntegrationPage"]["nodes"]} == mine
        events = await tenant.api.json("GET", "/v1/events", 200, headers=tenant.headers)
        assert {one["integrationId"] for one in events["data"]} == mine
    for mine_tenant, other in pairs(town):
        for query in (f"integrationId={other.id}", f"productId={other.product}", f"accountId={other.account}"):
            events = await other.api.json("GET", f"/v1/events?{query}", 200, headers=mine_tenant.headers)
            assert events == {"data": [], "nextCursor": None}


async def test_a_vendors_list_goes_on_page_by_page(town: list[Tenant]) -> None:
    acme, brick = town[0], town[1]
    for n in range(4):
        for _ in range(3):
            await brick.mutate("createProductIntegration", 'name: "between"')
        await acme.mutate("createProductIntegration", f'name: "n{n}"')
    names: list[str] = []
    cursor = None
    while True:
        page = await acme.graph(
            "query($c: String) { productIntegrationPage(limit: 2, cursor: $c) { nodes { name } nextCursor } }", c=cursor
        )
        found = page["data"]["productIntegrationPage"]
        names += [one["name"] for one in found["nodes"]]
        previous, cursor = cursor, found["nextCursor"]
        if cursor is None:
            break
    assert sorted(names) == ["n0", "n1", "n2", "n3", "of acme"]
    stolen = f'{{ productIntegrationPage(cursor: "{previous}") {{ nextCursor }} }}'
    assert (await brick.graph(stolen))["errors"][0]["extensions"]["code"] == "invalid_cursor"


async def test_bi47_a_cursor_of_another_vendor_is_refused(town: list[Tenant]) -> None:
    acme, brick = town[0], town[1]
    await acme.api.emit(productId=acme.product, accountId="A-2")
    page = await acme.api.json("GET", "/v1/events?limit=1", 200, headers=acme.headers)
    assert page["nextCursor"]
    path = f"/v1/events?limit=1&cursor={page['nextCursor']}"
    assert (await acme.api.json("GET", path, 200, headers=acme.headers))["data"]
    await acme.api.refused("GET", path, 400, "invalid_cursor", "cursor", headers=brick.headers)


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
    for _ in range(100):
        body = await acme.api.json("GET", job, 200, headers=acme.headers)
        if body["state"] == "DONE":
            break
        await asyncio.sleep(0.05)
    assert (body["state"], body["done"]) == ("DONE", 1)
    await acme.api.refused("GET", job, 404, "not_found", headers=brick.headers)
    assert (await acme.api.ask("GET", job, headers=marketplace.headers)).status == 200
    left = await acme.api.json("GET", "/v1/events?status=DEAD", 200, headers=marketplace.headers)
    assert {one["id"] for one in left["data"]} == {brick.event_id, marketplace.event_id}
    foreign = {"filter": {"integrationId": brick.id}}
    none = await acme.api.json("POST", "/v1/redeliveries", 202, json=foreign, headers=acme.headers)
    assert none == {"id": None, "matched": 0}


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
    monkeypatch.setattr(definition_store, "MAX_INTEGRATIONS", 2)
    acme, brick, marketplace = town
    assert (await acme.mutate("createProductIntegration", 'name: "second"'))["userErrors"] == []
    refused = await acme.mutate("createProductIntegration", 'name: "third"')
    assert refused["userErrors"][0]["code"] == "limit_reached"
    for other in (brick, marketplace):
        assert (await other.mutate("createProductIntegration", 'name: "more"'))["userErrors"] == []


async def test_bi46_an_integration_has_so_many_products(town: list[Tenant], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition_store, "MAX_LINKED_PRODUCTS", 2)
    acme = town[0]
    codes = []
    for product in ("P-2", "P-3", "P-2"):
        payload = await acme.mutate("linkProductIntegration", f'productId: "{product}", integrationId: "{acme.id}"')
        codes.append([one["code"] for one in payload["userErrors"]])
    assert codes == [[], ["limit_reached"], []]
