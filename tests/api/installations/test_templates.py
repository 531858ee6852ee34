"""Connector templates: what publishers say of a kind of connector, and what it makes of those that follow it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.installations.embedding import Partner, open_shop, partner_of
from tests.api.tenants import bearer

ALL = "/v1/connector-templates"
NAME = "Example Partner Connector"
OAUTH2: dict[str, Any] = {
    "name": "Ledger",
    "authType": "OAUTH2",
    "authorizeUri": "https://ledger.example.com/authorize",
    "tokenUri": "https://ledger.example.com/token",
    "clientId": "marketplace",
    "clientSecret": "S3cre1-of-the-template",
    "scope": "read write",
}


@pytest.fixture
async def partner(api: Api) -> Partner:
    await open_shop(api)
    return await partner_of(api, 27)


async def template(api: Api, **given: Any) -> Any:
    return await api.json("POST", ALL, 201, json={"name": NAME, "native": True} | given)


async def test_a_template_is_shown_as_it_was_made(api: Api) -> None:
    properties = [{"name": "Url", "required": True}, {"name": "Region", "required": False}]
    made = await template(api, version="2.0", authType="basic", properties=properties)
    assert (made["name"], made["version"], made["authType"], made["native"]) == (NAME, "2.0", "Basic", True)
    assert made["properties"] == properties
    assert await api.json("GET", f"{ALL}/{made['id']}", 200) == made
    assert await api.json("GET", ALL, 200) == {"data": [made]}


async def test_the_secret_of_an_authorization_is_never_shown_and_a_mask_keeps_it(api: Api) -> None:
    made = await api.json("POST", ALL, 201, json=OAUTH2)
    assert made["clientSecret"] == "******"
    stored = [await api.redis.get(key) async for key in api.redis.scan_iter("{def}:tpl:*")]
    assert OAUTH2["clientSecret"].encode() not in b"".join(one or b"" for one in stored)
    path = f"{ALL}/{made['id']}"
    before = await api.redis.get(f"{{def}}:tpl:{made['id']}")
    changed = await api.json("PUT", path, 200, json=OAUTH2 | {"clientSecret": "******", "scope": "read"})
    assert (changed["clientSecret"], changed["scope"]) == ("******", "read")
    after = await api.redis.get(f"{{def}}:tpl:{made['id']}")
    assert before is not None
    assert after is not None
    assert before.partition(b'"client_secret":')[2][:60] == after.partition(b'"client_secret":')[2][:60]
    assert OAUTH2["clientSecret"] not in str(await api.json("GET", "/v1/audit", 200))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"version": ""}, "version"),
        ({"authType": "Digest"}, "authType"),
        ({"integrationId": "unknown"}, "integrationId"),
        ({"properties": [{"name": "A"}, {"name": "a"}]}, "properties.1.name"),
        ({"clientId": "x"}, "authorizeUri"),
        (OAUTH2 | {"tokenUri": None}, "tokenUri"),
        (OAUTH2 | {"authorizeUri": "javascript:alert(1)"}, "authorizeUri"),
        (OAUTH2 | {"tokenUri": "http://169.254.169.254/"}, "tokenUri"),
        (OAUTH2 | {"clientId": None}, "clientId"),
        (OAUTH2 | {"clientSecret": "******"}, "clientSecret"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_made(api: Api, wrong: dict[str, Any], field: str) -> None:
    body = {name: one for name, one in ({"name": NAME} | wrong).items() if one is not None}
    refused = await api.json("POST", ALL, 422, json=body)
    assert field in [one["field"] for one in refused["errors"]]
    assert await api.json("GET", ALL, 200) == {"data": []}


async def test_a_name_has_each_version_once(api: Api) -> None:
    await template(api, version="1.0")
    second = await template(api, version="1.1")
    await api.json("POST", ALL, 409, json={"name": NAME, "version": "1.1"})
    await api.json("PUT", f"{ALL}/{second['id']}", 409, json={"name": NAME, "version": "1.0"})
    await api.json("PUT", f"{ALL}/{second['id']}", 200, json={"name": NAME, "version": "1.2"})
    assert (await api.ask("DELETE", f"{ALL}/{second['id']}")).status == 204
    await template(api, version="1.2")


async def test_vendors_reach_their_own_templates_only(api: Api) -> None:
    ours = await bearer(api, "integrations:write", vendor_id="ours")
    theirs = await bearer(api, "integrations:write", vendor_id="theirs")
    made = await api.json("POST", ALL, 201, json={"name": NAME}, headers=ours)
    await api.json("POST", ALL, 201, json={"name": NAME}, headers=theirs)
    for method, body in (("GET", None), ("PUT", {"name": "Mine"}), ("DELETE", None)):
        await api.json(method, f"{ALL}/{made['id']}", 404, json=body, headers=theirs)
    assert [one["vendorId"] for one in (await api.json("GET", ALL, 200, headers=ours))["data"]] == ["ours"]


async def test_a_change_of_what_was_changed_meanwhile_is_refused(api: Api) -> None:
    path = f"{ALL}/{(await template(api))['id']}"
    tag = (await api.ask("GET", path)).headers["ETag"]
    await api.json("PUT", path, 200, json={"name": "First"}, headers={"If-Match": tag})
    await api.json("PUT", path, 412, json={"name": "Second"}, headers={"If-Match": tag})


async def test_d8_a_standard_connector_is_not_deployed_and_native_ones_are(api: Api, partner: Partner) -> None:
    made = await template(api, native=False)
    connector = {"Name": NAME, "AuthValue": "key"}
    refused = await partner.session(400, partnerConnector=connector)
    assert (refused["Errors"][0]["Code"], refused["Errors"][0]["Field"]) == ("not_native", "PartnerConnector.Name")
    path = f"{ALL}/{made['id']}"
    await api.json("PUT", path, 200, json={"name": NAME, "native": True})
    account_id = (await partner.session(partnerConnector=connector))["AccountId"]
    assert [one["IsPartnerIntegrationConnector"] for one in await partner.connectors(account_id)] == [True]
    await api.json("PUT", path, 200, json={"name": NAME, "native": False})
    assert [one["IsPartnerIntegrationConnector"] for one in await partner.connectors(account_id)] == [False]
    await partner.session(400, partnerConnector=connector)


async def test_d9_an_installed_application_is_made_native(api: Api, partner: Partner) -> None:
    account_id = (await partner.session(partnerConnector=None))["AccountId"]
    made = await template(api, native=False)
    headers = {"X-Cyclr-Account": account_id}
    path = f"/v1.0/connectors/{made['id']}/install"
    installed = await partner.json("POST", path, json={"AuthValue": "key"}, headers=headers)
    assert (installed["Name"], installed["IsPartnerIntegrationConnector"]) == (NAME, False)
    assert (installed["Connector"]["Id"], installed["AuthValue"]) == (made["id"], "key")
    await api.json("PUT", f"{ALL}/{made['id']}", 200, json={"name": NAME, "native": True})
    (shown,) = await partner.connectors(account_id)
    assert shown["IsPartnerIntegrationConnector"] is True
    further = await partner.json("POST", path, json={"Name": "Second"}, headers=headers)
    assert [one["Id"] for one in await partner.connectors(account_id)] == [installed["Id"], further["Id"]]


@pytest.mark.parametrize(("fixed", "shown"), [("Basic", "Basic"), ("OAuth", "OAuth"), ("None", None), (None, "ApiKey")])
async def test_a_connector_shows_the_kind_that_its_template_fixes(
    api: Api, partner: Partner, fixed: str | None, shown: str | None
) -> None:
    """Symptom: what somebody gave was shown, though the template's kind was sent."""
    await template(api, authType=fixed)
    asked = {"Name": NAME, "AuthType": "ApiKey", "AuthValue": "YTpi"}
    account_id = (await partner.session(partnerConnector=asked))["AccountId"]
    (connector,) = await partner.connectors(account_id)
    assert connector["AuthType"] == shown


async def test_required_properties_are_asked_for_by_name(api: Api, partner: Partner) -> None:
    await template(api, properties=[{"name": "Url", "required": True}, {"name": "Region", "required": True}])
    given = [{"Name": "Region", "Value": "eu"}]
    refused = await partner.session(400, partnerConnector={"Name": NAME, "Properties": given})
    assert refused["Errors"][0]["Code"] == "missing_property"
    assert "Url" in refused["Message"]
    near = [*given, {"Name": "url", "Value": "https://h2.example"}]
    refused = await partner.session(400, partnerConnector={"Name": NAME, "Properties": near})
    assert "needs the property 'Url'; url is another: small letters and capitals differ." in refused["Message"]
    given += [{"Name": "Url", "Value": "https://h2.example"}]
    await partner.session(partnerConnector={"Name": NAME, "Properties": given})


@pytest.mark.parametrize(("asked", "shown"), [(None, "1.10"), ("1.9", "1.9"), ("1.10", "1.10")])
async def test_the_newest_version_is_meant_unless_one_is_named(
    api: Api, partner: Partner, asked: str | None, shown: str
) -> None:
    for version in ("1.9", "1.10", "1.2"):
        await template(api, version=version)
    account_id = (await partner.session(partnerConnector={"Name": NAME, "Version": asked}))["AccountId"]
    (connector,) = await partner.connectors(account_id)
    assert (connector["Version"], connector["Connector"]["Version"]) == (shown, shown)


async def test_an_unknown_version_is_refused(api: Api, partner: Partner) -> None:
    await template(api)
    refused = await partner.session(400, partnerConnector={"Name": NAME, "Version": "3"})
    assert (refused["Errors"][0]["Code"], refused["Errors"][0]["Field"]) == (
        "unknown_version",
        "PartnerConnector.Version",
    )


async def test_a_connector_is_bound_by_its_template_or_by_a_name_in_the_marketplace(api: Api, partner: Partner) -> None:
    product = await api.services.definitions.product("P-1")
    assert product is not None
    integration = await api.services.definitions.needed(str(product.integration_id))
    by_name = await partner.session(partnerConnector={"Name": integration.name})
    (connector,) = await partner.connectors(by_name["AccountId"])
    assert connector["IntegrationId"] == integration.id
    await template(api, integrationId=str(integration.app_market_id))
    await partner.session(partnerConnector={"Name": NAME})
    await partner.session(partnerConnector={"Name": "A label"})
    bound = {one["Name"]: one["IntegrationId"] for one in await partner.connectors(by_name["AccountId"])}
    assert bound == {integration.name: integration.id, NAME: integration.id, "A label": None}
    assert (await api.services.definitions.needed(integration.id)).account_bound


async def test_templates_of_strangers_do_not_count(api: Api, partner: Partner) -> None:
    """A vendor that takes the name of another's connector changes nothing in marketplaces that are not its own."""
    theirs = await bearer(api, "integrations:write", vendor_id="theirs")
    taken = await api.json("POST", ALL, 201, json={"name": NAME, "native": False}, headers=theirs)
    account_id = (await partner.session(partnerConnector={"Name": NAME}))["AccountId"]
    (connector,) = await partner.connectors(account_id)
    assert connector["Connector"]["Id"] is None
    path = f"/v1.0/connectors/{taken['id']}/install"
    await partner.json("POST", path, 404, json={}, headers={"X-Cyclr-Account": account_id})


async def test_the_kind_is_the_templates_then_the_requests_then_inferred(api: Api, partner: Partner) -> None:
    await template(api, authType="OAuth")
    given = {"Name": NAME, "AuthType": "ApiKey", "AuthValue": "token"}
    account_id = (await partner.session(partnerConnector=given))["AccountId"]
    await partner.session(partnerConnector={"Name": "Plain", "AuthValue": "dXNlcm5hbWU6cGFzc3dvcmQ="})
    await partner.session(partnerConnector={"Name": "Key", "AuthValue": "plain-key"})
    await partner.session(partnerConnector={"Name": "Asked", "AuthValue": "token", "AuthType": "oauth"})
    found = {one["Name"]: one["Id"] for one in await partner.connectors(account_id)}
    kinds = {}
    for name, number in found.items():
        record = await api.redis.get(f"{{def}}:con:{number}")
        assert record is not None
        kinds[name] = record.partition(b'"auth_kind":"')[2].partition(b'"')[0].decode()
    assert kinds == {NAME: "OAuth", "Plain": "Basic", "Key": "ApiKey", "Asked": "OAuth"}


async def test_a_value_that_is_refused_at_an_install_is_named(api: Api) -> None:
    await open_shop(api)
    partner = await partner_of(api, 27)
    account_id = (await partner.session())["AccountId"]
    made = await api.json("POST", "/v1/connector-templates", 201, json={"name": "Basic only", "authType": "Basic"})
    path, mine = f"/v1.0/connectors/{made['id']}/install", {"X-Cyclr-Account": account_id}
    refused = await partner.json("POST", path, 400, json={"AuthValue": "no base64 of a pair"}, headers=mine)
    assert [one["Field"] for one in refused["Errors"]] == ["AuthValue"]
