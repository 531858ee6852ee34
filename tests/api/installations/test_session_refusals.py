"""Sessions that are refused: by which name of a field, in which order, and that nothing is left behind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.installations.embedding import NEW_ACCOUNT, Partner, open_shop, partner_of
from tests.api.installations.session_parts import PATH, everything


@pytest.mark.parametrize("account_id", ["x" * 129, "a b", 'a"b', "a\\b", "ümlaut", "a\u0000b"])
async def test_an_account_id_is_what_a_scope_may_hold(partner: Partner, account_id: str) -> None:
    refused = await partner.session(400, AccountId=account_id)
    assert refused["Errors"][0]["Field"] == "AccountId"


async def test_c22_a_partners_token_is_needed(api: Api, partner: Partner) -> None:
    assert (await api.http.post(PATH, json=NEW_ACCOUNT)).status == 401
    headers = await api.bearer_of_new("events:write", "integrations:write")
    assert (await api.http.post(PATH, json=NEW_ACCOUNT, headers=headers)).status == 403
    restricted = await api.bearer_of_new("marketplace:partner", account_id="A")
    refused = await api.http.post(PATH, json=NEW_ACCOUNT, headers=restricted)
    assert (refused.status, (await refused.json())["Errors"][0]["Code"]) == (403, "account_restricted")


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", 415),
        ({"Content-Type": "application/json"}, b'{"MarketplaceId": 27\n "Username": ""', 400),
        ({"Content-Type": "application/json"}, b"[]", 400),
        ({"Content-Type": "application/json"}, b'{"Username": "\\ud800"}', 400),
        ({"Content-Type": "application/json"}, b"", 400),
    ],
)
async def test_c23_anything_but_a_json_object_is_refused(
    partner: Partner, headers: dict[str, str], body: bytes, status: int
) -> None:
    answer = await partner.ask("POST", PATH, data=body, headers=headers)
    assert answer.status == status
    refused = await answer.json()
    assert refused["Message"]
    assert refused["Errors"][0]["Code"]


async def test_two_fields_that_differ_in_case_only_are_refused(partner: Partner) -> None:
    for body in (NEW_ACCOUNT | {"username": "x"}, NEW_ACCOUNT | {"PartnerConnector": {"Name": "a", "name": "b"}}):
        refused = await partner.json("POST", PATH, 400, json=body)
        assert refused["Errors"][0]["Code"] == "duplicate_name"


REFUSALS: list[tuple[dict[str, Any], int]] = [
    ({"Username": ""}, 400),
    ({"AccountName": None}, 400),
    ({"InlineOAuth": "perhaps"}, 400),
    ({"Role": "King"}, 400),
    ({"HostUrl": "javascript:alert(1)"}, 400),
    ({"partnerConnector": []}, 400),
    ({"partnerConnector": {"Name": ""}}, 400),
    ({"partnerConnector": {"Name": "x", "AuthType": "Digest"}}, 400),
    ({"partnerConnector": {"Name": "x", "Properties": "Url"}}, 400),
    ({"partnerConnector": {"Name": "x", "Properties": [1]}}, 400),
    ({"partnerConnector": {"Name": "x", "Properties": [{"Name": "a"}, {"Name": "A"}]}}, 400),
    ({"partnerConnector": {"Name": "x", "AuthValue": "a\r\nX-Evil: 1"}}, 400),
    ({"partnerConnector": {"Name": "x", "AuthValue": "no colon", "AuthType": "Basic"}}, 400),
    ({"partnerConnector": {"Name": "x", "AuthValue": "a b", "AuthType": "OAuth"}}, 400),
    ({"partnerConnector": {"Name": "x", "Properties": [{"Name": "Url", "Value": "https://h/path"}]}}, 400),
    ({"partnerConnector": {"Name": "x", "Properties": [{"Name": "Url", "Value": "https://u:p@h"}]}}, 400),
    ({"partnerConnector": {"Name": "x", "Properties": [{"Name": "Url", "Value": "ftp://h"}]}}, 400),
    ({"partnerConnector": {"Name": "x", "Properties": [{"Name": "Url", "Value": "http://169.254.169.254"}]}}, 400),
    ({"MarketplaceId": 99}, 404),
    ({"AccountId": "unknown", "AccountName": None}, 404),
]


@pytest.mark.parametrize(("changed", "status"), REFUSALS)
async def test_a_refusal_leaves_nothing_behind(
    api: Api, partner: Partner, changed: dict[str, Any], status: int
) -> None:
    before = await everything(api.redis)
    await partner.session(status, **changed)
    assert await everything(api.redis) == before


WRONG_TYPES: dict[str, dict[str, Any]] = {
    "Username": {"Username": 5},
    "Password": {"Password": 5},
    "AccountId": {"AccountId": 5},
    "AccountName": {"AccountName": 5.5},
    "MarketplaceId": {"MarketplaceId": True},
    "InlineOAuth": {"InlineOAuth": "false"},
    "CompleteParameter": {"CompleteParameter": {}},
    "PartnerConnector.Name": {"partnerConnector": {"Name": 5}},
    "PartnerConnector.AuthValue": {"partnerConnector": {"Name": "x", "AuthValue": 5}},
    "PartnerConnector.Properties.0.Value": {
        "partnerConnector": {"Name": "x", "Properties": [{"Name": "a", "Value": 5}]}
    },
}


@pytest.mark.parametrize("field", WRONG_TYPES)
async def test_a_value_of_another_type_is_refused_by_the_name_of_its_field(partner: Partner, field: str) -> None:
    refused = await partner.session(400, **WRONG_TYPES[field])
    assert [one["Field"] for one in refused["Errors"]] == [field]


async def test_refusals_come_in_the_order_of_what_they_give_away(partner: Partner) -> None:
    """Malformed, then marketplace and account, then a user of another account, then the password."""
    await partner.session()
    other = await partner.session(AccountName="Customer Y", Username="other@example.com")
    wrong: dict[str, Any] = {"Password": "wrong"}
    await partner.session(401, **wrong)
    wrong |= {"AccountId": other["AccountId"]}
    await partner.session(403, **wrong)
    wrong |= {"AccountId": "unknown", "AccountName": None}
    await partner.session(404, **wrong)
    wrong |= {"MarketplaceId": "abc"}
    await partner.session(400, **wrong)


async def test_partners_do_not_reach_each_others_accounts_and_users(api: Api) -> None:
    for number in (27, 28):
        await open_shop(api, number)
    ours, theirs = await partner_of(api, 27), await partner_of(api, 28)
    made = await ours.session()
    await theirs.session(404, MarketplaceId=28, AccountId=made["AccountId"], AccountName=None)
    await theirs.session(404, MarketplaceId=28, AccountId=made["AccountId"])
    namesake = await theirs.session(MarketplaceId=28, Password="their own")
    assert namesake["AccountId"] != made["AccountId"]
    for path, method in (
        ("/v1.0/account/connectors", "GET"),
        (f"/v1.0/accounts/{made['AccountId']}/sessions", "DELETE"),
    ):
        refused = await theirs.ask(method, path, headers={"X-Cyclr-Account": made["AccountId"]})
        assert refused.status == 404, path
