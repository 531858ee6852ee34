"""Tenants tried pairwise over every surface: what is another's is answered as what was never there."""

from __future__ import annotations

from dispatcher.ids import new_event_id, new_hex24, new_uuid
from tests.api.tenants import Tenant
from tests.api.town import MUTATIONS, answer_of, pairs, town, without

__all__ = ["town"]


EVENT_PATHS = (
    ("GET", "/v1/events/{}"),
    ("GET", "/v1/events/{}/attempts"),
    ("GET", "/v1/events/{}/explain"),
    ("POST", "/v1/events/{}/redeliver"),
    ("POST", "/v1/events/{}/resolve"),
)


LANE_PATHS = (("POST", "/v1/lanes/{}/pause"), ("POST", "/v1/lanes/{}/resume"))
QUERIES = (
    '{{ productIntegration(id: "{}") {{ id name lastTest {{ id }} revisions {{ id }} }} }}',
    '{{ productIntegration(id: "{}", version: PUBLISHED) {{ id signingSecrets {{ createdOn }} }} }}',
)


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
    assert {*MUTATIONS, "createProductIntegration", "updateProduct"} == set(mutations.fields)


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
