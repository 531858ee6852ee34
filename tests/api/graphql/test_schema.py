"""What publishers can do beyond the documented mutations, and how broken rules are told."""

from __future__ import annotations

import base64

import pytest

from tests.api.graphql.conftest import Graph

SSO = 'grantTypes: [AUTHORIZATION_CODE] redirectUrls: ["https://example.com/back"] allowOidcScope: true'


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ('name: ""', "invalid_text", ["name"]),
        ('name: "  "', "invalid_text", ["name"]),
        (r'name: "a\r\nb"', "invalid_text", ["name"]),
        (f'name: "{"n" * 256}"', "invalid_text", ["name"]),
        ('orderFormFields: [{ name: "a", type: "bogus" }]', "invalid_value", ["orderFormFields", "0", "type"]),
        (f'outboundCredentials: {{ clientId: "{"c" * 256}" }}', "too_long", ["outboundCredentials", "clientId"]),
        (
            f'outboundCredentials: {{ clientSecret: "{"c" * 4097}" }}',
            "too_long",
            ["outboundCredentials", "clientSecret"],
        ),
    ],
)
async def test_what_cannot_be_meant_is_a_user_error_of_creating_and_updating(
    graph: Graph, fields: str, code: str, path: list[str]
) -> None:
    own_id = (await graph.created())["id"]
    for mutation, where in (("createProductIntegration", ""), ("updateProductIntegration", f'id: "{own_id}" ')):
        done = await graph.change(mutation, where + fields)
        told = {one["code"]: one for one in done["userErrors"]}
        assert [str(part) for part in told[code]["path"]] == ["input", *path], done
    if "type" in fields:
        assert "TEXT, TEXT_AREA, NUMBER" in told[code]["message"]


async def test_types_of_form_fields_are_taken_in_any_case(graph: Graph) -> None:
    own_id = (await graph.created('orderFormFields: [{ name: "a", type: "number" }, { name: "b", type: "" }]'))["id"]
    shown = await graph.shown(own_id, "orderFormFields { type }")
    assert shown == {"orderFormFields": [{"type": "NUMBER"}, {"type": "TEXT"}]}


async def test_every_id_form_shows_the_same_integration(graph: Graph) -> None:
    made = await graph.created()
    for form in (made["id"], made["appMarketId"], made["connectorId"]):
        assert await graph.shown(form, "id appMarketId connectorId") == {
            "id": made["id"],
            "appMarketId": made["appMarketId"],
            "connectorId": made["connectorId"],
        }
    number = made["appMarketId"]
    assert (await graph.data(f"{{ productIntegration(id: {number}) {{ id }} }}"))["id"] == made["id"]
    assert await graph.data('{ productIntegration(id: "34999") { id } }') is None


async def test_extra_fields_are_stored_and_shown(graph: Graph) -> None:
    made = await graph.created(
        """createUrl: "https://example.com/a" userUpdatedUrl: "https://example.com/u"
        addonNotificationUrl: "https://example.com/x" answers: "ack" retrySchedule: [1, 2.5] requestTimeout: 5
        concurrency: 3 rateLimit: 2.5 maxAge: 600 resultDeadline: 3600
        headers: [{name: "X-Key", value: "hidden", secret: true}, {name: "X-Plain", value: "p"}]
        orderRequireFormFields: true orderFormFields: [{name: "domain", required: true}]
        filter: {accountId: "a"}"""
    )
    assert await graph.shown(
        made["id"],
        "userUpdatedUrl addonNotificationUrl answers retrySchedule requestTimeout concurrency rateLimit maxAge "
        "resultDeadline headers { name value secret } orderRequireFormFields "
        "orderFormFields { name label type required } filter",
    ) == {
        "userUpdatedUrl": "https://example.com/u",
        "addonNotificationUrl": "https://example.com/x",
        "answers": "ACK",
        "retrySchedule": [1, 2.5],
        "requestTimeout": 5,
        "concurrency": 3,
        "rateLimit": 2.5,
        "maxAge": 600,
        "resultDeadline": 3600,
        "headers": [
            {"name": "X-Key", "value": "******", "secret": True},
            {"name": "X-Plain", "value": "p", "secret": False},
        ],
        "orderRequireFormFields": True,
        "orderFormFields": [{"name": "domain", "label": None, "type": "TEXT", "required": True}],
        "filter": {"accountId": "a"},
    }


async def test_update_edits_working_and_leaves_the_published_version(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    changed = await graph.change("updateProductIntegration", f'id: "{own_id}" createUrl: "https://example.com/b"')
    assert changed["userErrors"] == []
    shown = await graph.shown(
        own_id,
        "version createUrl publishedRevision working { createUrl } "
        "published { version revision createUrl publishedBy } revisions { revision createUrl }",
    )
    assert shown == {
        "version": "WORKING",
        "createUrl": "https://example.com/b",
        "publishedRevision": 1,
        "working": {"createUrl": "https://example.com/b"},
        "published": {
            "version": "PUBLISHED",
            "revision": 1,
            "createUrl": "https://example.com/a",
            "publishedBy": "admin",
        },
        "revisions": [{"revision": 1, "createUrl": "https://example.com/a"}],
    }
    query = f'{{ productIntegration(id: "{own_id}", version: "published") {{ createUrl }} }}'
    assert await graph.data(query) == {"createUrl": "https://example.com/a"}


async def test_null_clears_and_absence_keeps(graph: Graph) -> None:
    own_id = (await graph.created('createUrl: "https://example.com/a" cancelUrl: "https://example.com/c"'))["id"]
    await graph.change("updateProductIntegration", f'id: "{own_id}" createUrl: null')
    assert await graph.shown(own_id, "createUrl cancelUrl") == {
        "createUrl": None,
        "cancelUrl": "https://example.com/c",
    }


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ('createUrl: "http://127.0.0.1/x"', "url_not_allowed", ["input", "createUrl"]),
        ("outboundCredentials: {type: OAUTH2}", "required", ["input", "outboundCredentials", "clientId"]),
        ("filter: [1]", "wrong_type", ["input", "filter"]),
        ('headers: [{name: "Host", value: "x"}]', "header_not_allowed", ["input", "headers", "0", "name"]),
        ("retrySchedule: [-1]", "out_of_range", ["input", "retrySchedule"]),
        ('name: "\\u0000"', "invalid_text", ["input", "name"]),
    ],
)
async def test_broken_rules_are_user_errors_with_a_path(graph: Graph, fields: str, code: str, path: list[str]) -> None:
    payload = await graph.change("createProductIntegration", fields)
    assert payload["productIntegration"] is None
    assert (payload["userErrors"][0]["code"], payload["userErrors"][0]["path"]) == (code, path)
    assert payload["userErrors"][0]["__typename"] == "UserError"
    assert await graph.data("{ productIntegrations { id } }") == []


async def test_creation_method_is_frozen_after_publish(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    add, update = (f"{verb}ProductIntegrationOpenIdConnectConfiguration" for verb in ("add", "update"))
    where = f'integrationConfigurationId: "{own_id}"'
    done = await graph.change(add, f"{where} clientCreationMethod: PER_SUBSCRIPTION {SSO}")
    assert done["userErrors"] == []
    await graph.change("publishProductIntegration", f'integrationId: "{own_id}"')
    for mutation, fields in ((add, SSO), (update, "")):
        refused = await graph.change(mutation, f"{where} clientCreationMethod: SHARED {fields}")
        assert refused["userErrors"][0]["code"] == "frozen_after_publish"
        assert refused["userErrors"][0]["path"] == ["input", "clientCreationMethod"]
    done = await graph.change(update, f'{where} logoutUrl: "https://example.com/bye"')
    assert done["userErrors"] == []
    shown = await graph.shown(
        own_id, "openIdConnectConfiguration { clientCreationMethod redirectUrls logoutUrl allowOidcScope }"
    )
    assert shown["openIdConnectConfiguration"] == {
        "clientCreationMethod": "PER_SUBSCRIPTION",
        "redirectUrls": ["https://example.com/back"],
        "logoutUrl": "https://example.com/bye",
        "allowOidcScope": True,
    }


async def test_bookmark_excludes_open_id_connect_until_removed(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    where = f'integrationConfigurationId: "{own_id}"'
    add_bookmark = "addProductIntegrationBookmarkConfiguration"
    add_oidc = "addProductIntegrationOpenIdConnectConfiguration"
    oidc = f"{where} clientCreationMethod: PER_SUBSCRIPTION {SSO}"
    done = await graph.change(
        add_bookmark, f'{where} landingUrl: "https://example.com/home"', "bookmarkConfiguration { landingUrl }"
    )
    assert done["bookmarkConfiguration"] == {"landingUrl": "https://example.com/home"}
    assert (await graph.change(add_oidc, oidc))["userErrors"][0]["code"] == "sso_exclusive"
    await graph.change("removeProductIntegrationSingleSignOnConfiguration", where)
    assert (await graph.change(add_oidc, oidc))["userErrors"] == []
    refused = await graph.change(add_bookmark, f'{where} landingUrl: "https://example.com/home"')
    assert refused["userErrors"][0]["code"] == "sso_exclusive"


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
