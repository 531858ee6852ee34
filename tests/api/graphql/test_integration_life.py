"""Life of an integration: its secrets, links, pings, its place in lists, and its end."""

from __future__ import annotations

import base64

import pytest

from tests.api.graphql.conftest import Graph


async def test_inbound_secret_is_shown_once_wrapped_and_flat(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    wanted = "productIntegrationInboundClient { clientId clientSecret createdOn } clientId clientSecret createdOn"
    payload = await graph.change("generateProductIntegrationInboundClient", f'id: "{own_id}"', wanted)
    wrapped = payload["productIntegrationInboundClient"]
    assert wrapped == {name: payload[name] for name in wrapped}
    shown = await graph.shown(own_id, "inboundClient { clientId clientSecret createdOn }")
    assert shown["inboundClient"] == wrapped | {"clientSecret": "******"}


async def test_second_pair_takes_the_place_of_the_first_at_the_token_endpoint(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    pairs = [
        await graph.change("generateProductIntegrationInboundClient", f'id: "{own_id}"', "clientId clientSecret")
        for _ in range(2)
    ]
    statuses = []
    for pair in pairs:
        basic = base64.b64encode(f"{pair['clientId']}:{pair['clientSecret']}".encode()).decode()
        form = {"grant_type": "client_credentials"}
        answer = await graph.api.http.post("/oauth2/token", data=form, headers={"Authorization": f"Basic {basic}"})
        statuses.append(answer.status)
    assert statuses == [401, 200]


async def test_linking_is_refused_before_the_first_publish_and_shown_after(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    first = f'productId: "P1" integrationId: "{own_id}"'
    refused = await graph.change("linkProductIntegration", first, "product { id }")
    assert refused["product"] is None
    assert refused["userErrors"][0]["code"] == "not_published"
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    await graph.change("linkProductIntegration", first)
    done = await graph.change(
        "linkProductIntegration", f'productId: "P2" integrationId: "{own_id}"', "product { id version integrationId }"
    )
    assert done["product"] == {"id": "P2", "version": "WORKING", "integrationId": own_id}
    assert await graph.shown(own_id, "uiReadOnly linkedProducts { id version }") == {
        "uiReadOnly": True,
        "linkedProducts": [{"id": "P1", "version": "WORKING"}, {"id": "P2", "version": "WORKING"}],
    }
    assert (await graph.change("updateProductIntegration", f'id: "{own_id}" name: "x"'))["userErrors"] == []
    await graph.change("unlinkProductIntegration", first, "product { integrationId }")
    assert (await graph.shown(own_id, "uiReadOnly"))["uiReadOnly"] is False
    product = await graph.data('{ product(id: "P2") { id productIntegration { id } lastTest { id } } }')
    assert product == {"id": "P2", "productIntegration": {"id": own_id}, "lastTest": None}
    assert await graph.data('{ product(id: "P3") { id } }') is None


async def test_ping_shows_as_running_on_integration_and_product(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    await graph.change("linkProductIntegration", f'productId: "P1" integrationId: "{own_id}"')
    asked = await graph.change(
        "triggerProductIntegrationPingTest", f'id: "{own_id}" version: PUBLISHED', "productIntegration { version }"
    )
    assert asked == {"productIntegration": {"version": "PUBLISHED"}, "userErrors": []}
    assert graph.pings.asked == [(own_id, "PUBLISHED", ["SUBSCRIPTION_ORDER"])]
    wanted = "lastTest { version status startedOn completedOn results { eventType url status httpStatus } }"
    shown = await graph.shown(own_id, wanted)
    assert shown["lastTest"] == {
        "version": "PUBLISHED",
        "status": "RUNNING",
        "startedOn": "2027-01-15T08:00:00.000Z",
        "completedOn": None,
        "results": [
            {
                "eventType": "SUBSCRIPTION_ORDER",
                "url": "https://example.com/a",
                "status": "PENDING",
                "httpStatus": None,
            }
        ],
    }
    assert await graph.data(f'{{ product(id: "P1") {{ {wanted} }} }}') == shown


@pytest.mark.parametrize(
    ("fields", "code"),
    [("version: PUBLISHED", "not_published"), ("eventTypes: [SUBSCRIPTION_STATUS]", "not_pingable")],
)
async def test_ping_that_makes_no_sense_is_a_user_error(graph: Graph, fields: str, code: str) -> None:
    own_id = (await graph.created())["id"]
    refused = await graph.change("triggerProductIntegrationPingTest", f'id: "{own_id}" {fields}')
    assert refused["userErrors"][0]["code"] == code
    assert graph.pings.asked == []


async def test_signing_secret_is_shown_only_when_it_is_made(graph: Graph) -> None:
    made = await graph.created()
    assert made["signingSecret"].startswith("whsec_")
    rotated = await graph.change("rotateProductIntegrationSigningSecret", f'id: "{made["id"]}"', "signingSecret")
    assert rotated["signingSecret"].startswith("whsec_")
    assert rotated["signingSecret"] != made["signingSecret"]
    shown = await graph.shown(made["id"], "signingSecrets { secret createdOn notAfter }")
    moment = "2027-01-15T08:00:00.000Z"
    assert shown["signingSecrets"] == [
        {"secret": "******", "createdOn": moment, "notAfter": None},
        {"secret": "******", "createdOn": moment, "notAfter": "2027-01-16T08:00:00.000Z"},
    ]
    refused = await graph.change(
        "rotateProductIntegrationSigningSecret", f'id: "{made["id"]}" overlapSeconds: 604801', "signingSecret"
    )
    assert (refused["signingSecret"], refused["userErrors"][0]["code"]) == (None, "out_of_range")


async def test_deleted_integration_is_gone_under_every_id(graph: Graph) -> None:
    made = await graph.created()
    done = await graph.change("deleteProductIntegration", f"id: {made['appMarketId']}", "id")
    assert done == {"id": made["id"], "userErrors": []}
    for form in (made["id"], made["appMarketId"], made["connectorId"]):
        assert await graph.data(f'{{ productIntegration(id: "{form}") {{ id }} }}') is None
    again = await graph.change("deleteProductIntegration", f'id: "{made["id"]}"', "id")
    assert again["userErrors"][0]["code"] == "not_found"


async def test_pages_lead_through_all_integrations(graph: Graph) -> None:
    made = [(await graph.created())["id"] for _ in range(5)]
    seen: list[str] = []
    cursor = None
    query = (
        "query Page($cursor: String) { productIntegrationPage(cursor: $cursor, limit: 2) { nodes { id } nextCursor } }"
    )
    for _ in range(3):
        page = await graph.data(query, cursor=cursor)
        seen += [node["id"] for node in page["nodes"]]
        cursor = page["nextCursor"]
    assert (sorted(seen), cursor) == (sorted(made), None)
    status, body = await graph.send('{ productIntegrationPage(cursor: "forged") { nextCursor } }')
    assert (status, body["errors"][0]["extensions"]["code"]) == (200, "invalid_cursor")
    status, body = await graph.send("{ productIntegrations(limit: 1000000000) { id } }")
    assert body["errors"][0]["extensions"]["code"] == "invalid_limit"


async def test_writes_are_seen_by_the_cache_of_the_same_process_at_once(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    cache = graph.api.services.cache
    before = await cache.integration(own_id)
    assert before is not None
    await graph.change("updateProductIntegration", f'id: "{own_id}" name: "new"')
    after = await cache.integration(own_id)
    assert after is not None
    assert (before.name, after.name) == ("Untitled integration", "new")
