"""Connectors of accounts, as host applications deploy, list and change them."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.access import Scope
from dispatcher.model.integration import Revision
from tests.api.conftest import PRODUCT, Api, publish
from tests.api.installations.embedding import NEW_ACCOUNT, Partner, open_shop, partner_of

BASIC = "dXNlcm5hbWU6cGFzc3dvcmQ="
EXAMPLE: dict[str, Any] = {
    "Name": "Example Partner Connector",
    "AuthValue": "Auth value for the connector.",
    "Properties": [
        {"Name": "Subdomain", "Value": "value", "Id": 41, "AccountConnectorId": 33},
        {"Name": "Region", "Value": "value", "Id": 42, "AccountConnectorId": 33},
    ],
}
"""The partner connector of the document."""


@pytest.fixture
async def partner(api: Api) -> Partner:
    await open_shop(api)
    return await partner_of(api, 27)


async def deployed(partner: Partner, connector: dict[str, Any], **changed: Any) -> Any:
    made = await partner.session(partnerConnector=connector, **changed)
    return (await partner.connectors(made["AccountId"]))[0]


@pytest.mark.parametrize("path", ["/v1.0/account/connectors", "/account/connectors"])
async def test_d1_both_addresses_list_the_accounts_connectors(partner: Partner, path: str) -> None:
    made = await partner.session()
    answer = await partner.ask("GET", path, headers={"X-Cyclr-Account": made["AccountId"]})
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert [one["AccountId"] for one in await answer.json()] == [made["AccountId"]]


async def test_d1_without_an_account_it_is_400_and_for_an_unknown_one_404(partner: Partner) -> None:
    refused = await partner.json("GET", "/v1.0/account/connectors", 400)
    assert refused["Errors"][0]["Code"] == "missing_account"
    await partner.json("GET", "/account/connectors", 404, headers={"X-Cyclr-Account": "unknown"})


async def test_d2_every_connector_is_listed_under_its_own_id(partner: Partner) -> None:
    made = await partner.session()
    await partner.session(partnerConnector=EXAMPLE, AccountId=made["AccountId"])
    found = await partner.connectors(made["AccountId"])
    assert [one["Name"] for one in found] == ["Connector Name", "Example Partner Connector"]
    assert len({one["Id"] for one in found}) == 2
    assert all(isinstance(one["Id"], int) for one in found)


async def test_c9_c10_d4_d5_a_connector_is_shown_whole(partner: Partner) -> None:
    shown = await deployed(partner, EXAMPLE)
    assert (shown["Name"], shown["AuthValue"]) == (EXAMPLE["Name"], EXAMPLE["AuthValue"])
    assert (shown["Version"], shown["Connector"]["Version"]) == ("1.0", "1.0")
    assert (shown["Authenticated"], shown["IsPartnerIntegrationConnector"]) == (True, True)
    assert [(one["Name"], one["Value"]) for one in shown["Properties"]] == [("Subdomain", "value"), ("Region", "value")]
    assert all(isinstance(one["Id"], int) for one in shown["Properties"])
    assert len({one["Id"] for one in shown["Properties"]}) == 2
    assert {one["AccountConnectorId"] for one in shown["Properties"]} == {shown["Id"]}


@pytest.mark.parametrize(("given", "shown"), [("2.1", "2.1"), (1.0, "1.0"), (None, "1.0"), ("", "1.0")])
async def test_c10_the_version_is_the_one_given_or_1_0(partner: Partner, given: Any, shown: str) -> None:
    assert (await deployed(partner, EXAMPLE | {"Version": given}))["Version"] == shown


async def test_c8_the_same_name_is_changed_and_not_doubled(partner: Partner) -> None:
    first = await deployed(partner, EXAMPLE)
    changed = EXAMPLE | {"AuthValue": BASIC, "Properties": [{"Name": "Region", "Value": "eu"}]}
    second = await deployed(partner, changed)
    assert (second["Id"], second["AuthValue"]) == (first["Id"], BASIC)
    (region,) = second["Properties"]
    assert (region["Value"], region["Id"]) == ("eu", first["Properties"][1]["Id"])


@pytest.mark.parametrize("empty", [{}, {"AuthValue": None, "Properties": None}, {"AuthValue": "", "Properties": []}])
async def test_d6_auth_value_and_properties_may_be_empty(partner: Partner, empty: dict[str, Any]) -> None:
    shown = await deployed(partner, {"Name": "Bare"} | empty)
    assert (shown["AuthValue"], shown["Properties"], shown["Authenticated"]) == (None, [], False)


async def test_d7_what_was_fetched_is_deployed_into_another_account(partner: Partner) -> None:
    source = await deployed(partner, EXAMPLE | {"AuthType": "OAuth", "AuthValue": "token", "Description": "Ours"})
    copy = await deployed(partner, source, AccountName="Customer Y", Username="other@example.com")
    assert copy["AccountId"] != source["AccountId"]
    assert copy["Id"] != source["Id"]
    assert not {one["Id"] for one in copy["Properties"]} & {one["Id"] for one in source["Properties"]}
    for name in ("Name", "Version", "AuthValue", "AuthType", "Description", "IsPartnerIntegrationConnector"):
        assert copy[name] == source[name], name
    assert [(one["Name"], one["Value"]) for one in copy["Properties"]] == [("Subdomain", "value"), ("Region", "value")]


async def test_d11_a_new_auth_value_authenticates(partner: Partner) -> None:
    shown = await deployed(partner, {"Name": "Bare"})
    headers = {"X-Cyclr-Account": shown["AccountId"]}
    path = f"/v1.0/account/connectors/{shown['Id']}"
    changed = await partner.json("PUT", path, json={"authvalue": BASIC}, headers=headers)
    assert (changed["AuthValue"], changed["Authenticated"], changed["Name"]) == (BASIC, True, "Bare")
    kept = await partner.json("PUT", path, json={"AuthValue": "******", "Description": "x"}, headers=headers)
    assert (kept["AuthValue"], kept["Description"]) == (BASIC, "x")
    await partner.json("PUT", "/v1.0/account/connectors/999", 404, json={}, headers=headers)
    await partner.json("PUT", "/v1.0/account/connectors/x", 404, json={}, headers=headers)
    emptied = await partner.json("PUT", path, json={"AuthValue": ""}, headers=headers)
    assert (emptied["AuthValue"], emptied["Authenticated"]) == (None, False)


async def test_a_connector_of_another_account_is_not_there(partner: Partner) -> None:
    ours = await deployed(partner, EXAMPLE)
    theirs = await deployed(partner, EXAMPLE, AccountName="Customer Y", Username="other@example.com")
    path = f"/v1.0/account/connectors/{theirs['Id']}"
    headers = {"X-Cyclr-Account": ours["AccountId"]}
    await partner.json("PUT", path, 404, json={"AuthValue": BASIC}, headers=headers)


async def test_an_auth_value_goes_nowhere_that_it_was_not_given_for(partner: Partner) -> None:
    shown = await deployed(partner, NEW_ACCOUNT["partnerConnector"])
    path, headers = f"/v1.0/account/connectors/{shown['Id']}", {"X-Cyclr-Account": shown["AccountId"]}
    elsewhere = [{"Name": "Url", "Value": "https://elsewhere.example"}]
    dropped = await partner.json("PUT", path, json={"Properties": elsewhere}, headers=headers)
    assert (dropped["AuthValue"], dropped["Authenticated"]) == (None, False)
    together = {"Properties": [{"Name": "Url", "Value": "https://third.example"}], "AuthValue": BASIC}
    assert (await partner.json("PUT", path, json=together, headers=headers))["AuthValue"] == BASIC
    other_names = {"Properties": [*together["Properties"], {"Name": "Region", "Value": "eu"}]}
    assert (await partner.json("PUT", path, json=other_names, headers=headers))["AuthValue"] == BASIC


async def test_reading_auth_values_in_clear_is_on_record(api: Api, partner: Partner) -> None:
    shown = await deployed(partner, EXAMPLE)
    log = (await api.json("GET", "/v1/audit?action=readAuthValues", 200))["data"]
    assert [(one["objectId"], one["clientId"]) for one in log] == [(shown["AccountId"], partner.client_id)]
    bare = await deployed(partner, {"Name": "Bare"}, AccountName="Customer Y", Username="other@example.com")
    await partner.connectors(bare["AccountId"])
    assert len((await api.json("GET", "/v1/audit?action=readAuthValues", 200))["data"]) == 1


async def test_auth_values_are_sealed_in_the_store(api: Api, partner: Partner) -> None:
    await deployed(partner, EXAMPLE)
    for key in [one async for one in api.redis.scan_iter("{def}:con:*")]:
        record = await api.redis.get(key)
        assert record is not None
        assert EXAMPLE["AuthValue"].encode() not in record
        assert b'"v1.' in record


async def test_whoever_is_bound_to_an_account_sees_masks(api: Api, partner: Partner) -> None:
    shown = await deployed(partner, EXAMPLE)
    scopes = frozenset({Scope.INSTALLATIONS_READ.value, Scope.INSTALLATIONS_WRITE.value})
    client, secret = await api.services.clients.create(scopes, "account", shown["AccountId"], 0)
    bound = Partner(api, await api.bearer(client.client_id, secret), client.client_id, secret)
    (seen,) = await bound.json("GET", "/account/connectors")
    assert (seen["AuthValue"], seen["Authenticated"]) == ("******", True)
    await bound.json("GET", "/account/connectors", 403, headers={"X-Cyclr-Account": "another"})
    path = f"/v1.0/account/connectors/{shown['Id']}"
    changed = await bound.json("PUT", path, json={"AuthValue": "their own"})
    assert changed["AuthValue"] == "******"
    (clear,) = await partner.connectors(shown["AccountId"])
    assert clear["AuthValue"] == "their own"


async def test_users_of_an_account_do_not_say_where_credentials_go(api: Api, partner: Partner) -> None:
    shown = await deployed(partner, NEW_ACCOUNT["partnerConnector"])
    scopes = frozenset({Scope.INSTALLATIONS_WRITE.value})
    client, secret = await api.services.clients.create(scopes, "account", shown["AccountId"], 0)
    bound = Partner(api, await api.bearer(client.client_id, secret), client.client_id, secret)
    path = f"/v1.0/account/connectors/{shown['Id']}"
    for properties in ([], [{"Name": "Url", "Value": "https://elsewhere.example"}]):
        refused = await bound.json("PUT", path, 403, json={"Properties": properties, "AuthValue": BASIC})
        assert refused["Errors"][0]["Code"] == "property_not_yours"
    same = [{"Name": "Url", "Value": "https://myapp.something.blah"}, {"Name": "Region", "Value": "eu"}]
    await bound.json("PUT", path, 200, json={"Properties": same})


async def test_a_value_that_no_url_could_be_made_of_is_refused_when_it_is_given(api: Api, partner: Partner) -> None:
    urls = {"createUrl": "https://{Subdomain}.shops.example.com/{Region}/hook"}
    integration = await publish(api.services, Revision(urls=urls), products=("P-2",))
    template = {"name": "Shops", "native": True, "integrationId": integration.id}
    await api.json("PUT", "/v1/marketplaces/27", 200, json={"name": "Acme", "productIds": [PRODUCT, "P-2"]})
    await api.json("POST", "/v1/connector-templates", 201, json=template)
    for name, value in (("Region", ".."), ("Subdomain", "a.b"), ("Subdomain", "evil/"), ("Url", "shops.example.com")):
        given = {"Name": "Shops", "Properties": [{"Name": name, "Value": value}]}
        refused = await partner.session(400, partnerConnector=given)
        assert refused["Errors"][0]["Code"] == "invalid_property"
    seldom = [{"Name": "Url", "Value": ""}, {"Name": "Colour", "Value": "red"}, {"Name": "Region", "Value": "eu"}]
    shown = await deployed(partner, {"Name": "Shops", "Properties": seldom})
    assert [(one["Name"], one["Value"]) for one in shown["Properties"]] == [
        (one["Name"], one["Value"]) for one in seldom
    ]


async def test_an_account_has_so_many_connectors_and_no_more(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.flow.connectors.connectors.MAX_CONNECTORS", 1)
    await deployed(partner, {"Name": "First"})
    await deployed(partner, {"Name": "First"})
    refused = await partner.session(400, partnerConnector={"Name": "Second"})
    assert refused["Errors"][0]["Code"] == "limit_reached"
