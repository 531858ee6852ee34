"""The six mutations that publishers copy from the documentation, in the order and the spelling it prints them."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from tests.api.graphql.conftest import Graph

CREATE = """mutation {
createProductIntegration(
input: {
createUrl: "https://example.com/notifications"
upgradeUrl: "https://example.com/notifications"
cancelUrl: "https://example.com/notifications"
notifyUrl: "https://example.com/notifications"
eventStatusUrl: "https://example.com/notifications"
assignUrl: "https://example.com/notifications"
unassignUrl: "https://example.com/notifications"
name:"Documentation Test Integration",
outboundCredentials: {
type: OAUTH2
clientId: "123456"
clientSecret: "S3cre1!"
tokenUri: "http://dummmy.url/api/token"
grantType: client_credentials
}
}
) {
productIntegration {
id
}
}
}
"""

SIGN_ON = """mutation {
addProductIntegrationOpenIdConnectConfiguration(
input: {
integrationConfigurationId: 34827
clientCreationMethod: "PER_SUBSCRIPTION"
grantTypes: ["AUTHORIZATION_CODE"]
redirectUrls: ["YOUR_REDIRECT_URLS"]
allowOidcScope: false
allowUserScopes: false
allowRoleScopes: false
initiateLoginUrl: "YOUR_INITIATE_LOGIN_URL"
logoutUrl: "YOUR_LOGOUT_URL"
}
) {
openIdConnectConfiguration {
clientCreationMethod
grantTypes
redirectUrls
}
}
}
"""

INBOUND_CLIENT = """mutation {
generateProductIntegrationInboundClient(
input: { id: "5f157a26-0238-4f3f-9c31-1f3e65b4713e" }
) {
productIntegrationInboundClient {
clientId
clientSecret
createdOn
}
}
}
"""

PING = """mutation {
triggerProductIntegrationPingTest(
input: {
id: "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
version: WORKING
eventTypes: [SUBSCRIPTION_ORDER]
}
) {
productIntegration {
id
version
type
}
}
}
"""

PUBLISH = """mutation {
publishProductIntegration(
input: {
integrationId: "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
}
) {
productIntegration {
id
version
}
}
}
"""

LINK = """mutation {
linkProductIntegration(
input: {
productId: "06ea7f9d-4a1b-4a00-810f-089ac43972e2"
integrationId: "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
}
) {
product {
id
version
}
}
}
"""

PRINTED_ID = "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
PRODUCT_ID = "06ea7f9d-4a1b-4a00-810f-089ac43972e2"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def create(graph: Graph) -> str:
    payload = await graph.data(CREATE)
    return str(payload["productIntegration"]["id"])


async def test_all_six_in_their_order(graph: Graph) -> None:
    own_id = await create(graph)
    assert UUID.fullmatch(own_id)

    async def run(mutation: str) -> Any:
        return await graph.data(mutation.replace(PRINTED_ID, own_id))

    assert await run(SIGN_ON) == {
        "openIdConnectConfiguration": {
            "clientCreationMethod": "PER_SUBSCRIPTION",
            "grantTypes": ["AUTHORIZATION_CODE"],
            "redirectUrls": ["YOUR_REDIRECT_URLS"],
        }
    }
    pair = (await run(INBOUND_CLIENT))["productIntegrationInboundClient"]
    assert len(pair["clientId"]) == 10
    assert len(pair["clientSecret"]) >= 18
    assert pair["createdOn"] == 1_800_000_000_000
    assert await run(PING) == {"productIntegration": {"id": own_id, "version": "WORKING", "type": "FULL_INTEGRATION"}}
    assert await run(PUBLISH) == {"productIntegration": {"id": own_id, "version": "PUBLISHED"}}
    assert await run(LINK) == {"product": {"id": PRODUCT_ID, "version": "WORKING"}}


async def test_what_was_created_can_be_read_back(graph: Graph) -> None:
    own_id = await create(graph)
    shown = await graph.shown(
        own_id,
        "name type version createUrl unassignUrl userUpdatedUrl "
        "outboundCredentials { type clientId clientSecret tokenUri grantType authMethod }",
    )
    assert shown == {
        "name": "Documentation Test Integration",
        "type": "FULL_INTEGRATION",
        "version": "WORKING",
        "createUrl": "https://example.com/notifications",
        "unassignUrl": "https://example.com/notifications",
        "userUpdatedUrl": None,
        "outboundCredentials": {
            "type": "OAUTH2",
            "clientId": "123456",
            "clientSecret": "******",
            "tokenUri": "http://dummmy.url/api/token",
            "grantType": "client_credentials",
            "authMethod": "client_secret_basic",
        },
    }


async def test_creating_resolves_no_name_and_contacts_nobody(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    await graph.data("{ productIntegrations { id } }")  # has a connection to Redis from here on
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: asked.append(where))
    monkeypatch.setattr(socket.socket, "connect", lambda _, where: asked.append(where))
    await create(graph)
    assert asked == []


async def test_secret_of_the_credentials_is_in_no_value_of_the_store(graph: Graph) -> None:
    own_id = await create(graph)
    signing = (await graph.created())["signingSecret"]
    await graph.data(PUBLISH.replace(PRINTED_ID, own_id))
    redis = graph.api.redis
    for key in await redis.keys("*"):
        dumped = await redis.dump(key)
        assert dumped is not None
        assert b"S3cre1!" not in dumped, key
        assert signing.removeprefix("whsec_").encode() not in dumped, key


async def test_placeholders_are_stored_and_named_in_warnings(graph: Graph) -> None:
    await create(graph)
    wanted = (
        "{\nwarnings productIntegration { openIdConnectConfiguration { initiateLoginUrl logoutUrl allowOidcScope } }"
    )
    payload = await graph.data(
        SIGN_ON.replace("{\nopenIdConnectConfiguration", wanted + "\nopenIdConnectConfiguration", 1)
    )
    assert payload["productIntegration"]["openIdConnectConfiguration"] == {
        "initiateLoginUrl": "YOUR_INITIATE_LOGIN_URL",
        "logoutUrl": "YOUR_LOGOUT_URL",
        "allowOidcScope": False,
    }
    assert [text.split()[0] for text in payload["warnings"]] == [
        "allowOidcScope",
        "redirectUrls",
        "initiateLoginUrl",
        "logoutUrl",
    ]


@pytest.mark.parametrize("form", ["own", "number", "connector", "upper"])
async def test_every_id_form_is_taken_where_the_documentation_prints_one(graph: Graph, form: str) -> None:
    made = await graph.created()
    forms = {
        "own": f'"{made["id"]}"',
        "number": str(made["appMarketId"]),
        "connector": f'"{made["connectorId"]}"',
        "upper": f'"{made["id"].upper()}"',
    }
    for mutation in (SIGN_ON.replace("34827", f'"{PRINTED_ID}"'), INBOUND_CLIENT, PING, PUBLISH, LINK):
        status, body = await graph.send(mutation.replace(f'"{PRINTED_ID}"', forms[form]))
        assert status == 200, body
        assert "errors" not in body, body
        assert all(value[next(iter(value))] for value in body["data"].values()), body


@pytest.mark.parametrize("mutation", [SIGN_ON, INBOUND_CLIENT, PING, PUBLISH, LINK])
async def test_unknown_id_is_a_user_error_with_200(graph: Graph, mutation: str) -> None:
    asking = re.sub(r"\) \{", ") { userErrors { __typename message path code }", mutation, count=1)
    payload = await graph.data(asking)
    (error,) = payload.pop("userErrors")
    assert set(payload.values()) == {None}
    assert error["__typename"] == "UserError"
    assert error["code"] == "not_found"
    assert error["path"][0] == "input"
    assert error["path"][1] in {"id", "integrationId", "integrationConfigurationId"}


@pytest.mark.parametrize(
    ("printed", "variant"),
    [
        ("type: OAUTH2", 'type: "oauth2"'),
        ("grantType: client_credentials", "grantType: CLIENT_CREDENTIALS"),
        ("grantType: client_credentials", 'grantType: "client_credentials"'),
        ("grantType: client_credentials", "grantType: Client_Credentials"),
    ],
)
async def test_enumerations_may_be_bare_or_quoted_in_any_case(graph: Graph, printed: str, variant: str) -> None:
    assert printed in CREATE
    payload = await graph.data(CREATE.replace(printed, variant))
    assert payload["productIntegration"]["id"]


async def test_enumerations_may_be_variables_in_any_case(graph: Graph) -> None:
    made = await graph.created()
    query = """mutation Ping($input: TriggerProductIntegrationPingTestInput!) {
      triggerProductIntegrationPingTest(input: $input) { productIntegration { version } userErrors { code } }
    }"""
    given = {"id": made["appMarketId"], "version": "working", "eventTypes": ["subscription_order"]}
    payload = await graph.data(query, input=given)
    assert payload == {"productIntegration": {"version": "WORKING"}, "userErrors": []}


async def test_unknown_grant_type_names_those_that_are_allowed(graph: Graph) -> None:
    await create(graph)
    status, body = await graph.send(SIGN_ON.replace("AUTHORIZATION_CODE", "TELEPATHY"))
    assert status == 400
    assert "AUTHORIZATION_CODE" in body["errors"][0]["message"]
    assert "TELEPATHY" in body["errors"][0]["message"]
    assert body["errors"][0]["locations"]
