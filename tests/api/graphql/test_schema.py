"""Fields of an integration beyond the documented mutations, and answers to broken rules."""

from __future__ import annotations

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
