"""Sessions of host applications' users: what one call makes, and what it finds again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.conftest import Api
from tests.api.installations.embedding import NEW_ACCOUNT, PASSWORD, USERNAME, Partner, open_shop, partner_of
from tests.api.installations.session_parts import PATH, installing

SLOPPY_ID = "0000000-0000-0000-0000-000000000000"


async def test_c1_the_documents_first_request_answers_with_exactly_four_fields(partner: Partner) -> None:
    answer = await partner.ask("POST", PATH, json=NEW_ACCOUNT)
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(await answer.json()) == {"AccountId", "ExpiresAtUtc", "MarketplaceUrl", "Token"}


async def test_c2_it_makes_account_user_and_connector(api: Api, partner: Partner) -> None:
    made = await partner.session()
    account = await installing(api).accounts.get(made["AccountId"])
    (user,) = await installing(api).accounts.users_of(account.id)
    (connector,) = await partner.connectors(account.id)
    assert (account.name, account.marketplace_id, user.username) == ("Customer X", 27, USERNAME)
    assert (connector["Name"], connector["IsPartnerIntegrationConnector"]) == ("Connector Name", True)


async def test_c3_an_existing_account_stays_the_only_one(api: Api, partner: Partner) -> None:
    made = await partner.session()
    again = await partner.session(AccountId=made["AccountId"], AccountName=None, partnerConnector=None)
    assert again["AccountId"] == made["AccountId"]
    assert again["Token"] != made["Token"]
    assert await installing(api).accounts.count(27) == 1


@pytest.mark.parametrize(
    ("given", "status"),
    [(27, 200), ("27", 200), (" 27 ", 200), ("abc", 400), (True, 400), (2.5, 400), (0, 400), (10**30, 400)],
)
async def test_c4_a_marketplace_is_named_by_its_number(partner: Partner, given: Any, status: int) -> None:
    await partner.session(status, MarketplaceId=given)


async def test_c4_an_unknown_marketplace_and_one_out_of_reach_are_404(api: Api, partner: Partner) -> None:
    await open_shop(api, 28)
    for number in (28, 99):
        refused = await partner.session(404, MarketplaceId=number)
        assert refused["Errors"][0]["Field"] == "MarketplaceId"


async def test_c4_without_a_number_the_only_marketplace_is_meant(api: Api) -> None:
    await open_shop(api)
    anywhere = await partner_of(api)
    assert "/launch/marketplace/27" in (await anywhere.session(MarketplaceId=None))["MarketplaceUrl"]
    await open_shop(api, 28)
    refused = await anywhere.session(400, MarketplaceId=None)
    assert refused["Errors"][0]["Field"] == "MarketplaceId"


async def test_c5_the_name_of_a_known_account_is_ignored(api: Api, partner: Partner) -> None:
    made = await partner.session()
    again = await partner.session(AccountId=made["AccountId"], AccountName="Other")
    assert again["AccountId"] == made["AccountId"]
    assert (await installing(api).accounts.get(made["AccountId"])).name == "Customer X"


async def test_c5_one_of_id_and_name_is_needed(partner: Partner) -> None:
    refused = await partner.session(400, AccountName=None)
    assert refused["Errors"][0]["Field"] == "AccountName"


async def test_c5_an_unknown_id_alone_is_404_and_with_a_name_it_is_made(partner: Partner) -> None:
    await partner.session(404, AccountId=SLOPPY_ID, AccountName=None)
    assert (await partner.session(AccountId=SLOPPY_ID))["AccountId"] == SLOPPY_ID


async def test_c8_without_a_connector_there_is_none(partner: Partner) -> None:
    made = await partner.session(partnerConnector=None)
    assert await partner.connectors(made["AccountId"]) == []


@pytest.mark.parametrize("cased", [str.lower, str.upper, str.title, lambda name: name[0].lower() + name[1:]])
async def test_c26_names_of_fields_may_be_in_any_case(partner: Partner, cased: Any) -> None:
    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {cased(name): renamed(one) for name, one in value.items()}
        return [renamed(one) for one in value] if isinstance(value, list) else value

    made = await partner.json("POST", PATH, json=renamed(NEW_ACCOUNT))
    (connector,) = await partner.connectors(made["AccountId"])
    assert connector["AuthValue"] == NEW_ACCOUNT["partnerConnector"]["AuthValue"]
    assert [one["Name"] for one in connector["Properties"]] == ["Url"]


async def test_the_first_call_repeated_finds_the_account_that_it_made(api: Api, partner: Partner) -> None:
    made = [await partner.session() for _ in range(2)]
    assert len({one["AccountId"] for one in made}) == 1
    assert await installing(api).accounts.count(27) == 1


async def test_the_first_call_made_20_times_at_once_makes_one_account(api: Api, partner: Partner) -> None:
    made = await asyncio.gather(*(partner.session() for _ in range(20)))
    assert len({one["AccountId"] for one in made}) == 1
    assert len({one["Token"] for one in made}) == 20
    account_id = made[0]["AccountId"]
    assert await installing(api).accounts.count(27) == 1
    assert len(await installing(api).accounts.users_of(account_id)) == 1
    assert len(await partner.connectors(account_id)) == 1


async def test_d12_launch_has_the_same_contract(partner: Partner) -> None:
    made = await partner.session(AccountId=SLOPPY_ID)
    body = {
        "Username": USERNAME,
        "Password": PASSWORD,
        "AccountId": SLOPPY_ID,
        "PartnerConnector": {"Name": "Example Partner Connector", "AuthValue": "Auth value for the connector."},
    }
    launched = await partner.json("POST", "/v1.0/users/launch", json=body)
    assert set(launched) == {"AccountId", "ExpiresAtUtc", "LaunchUrl", "Token"}
    assert (launched["AccountId"], made["AccountId"]) == (SLOPPY_ID, SLOPPY_ID)
    assert "/launch/marketplace/27" in launched["LaunchUrl"]


async def test_a_launch_leads_to_where_the_account_was_last(api: Api) -> None:
    for number in (27, 28, 29):
        await open_shop(api, number)
    partner = await partner_of(api, 27, 28)
    made = await partner.session(MarketplaceId=27)
    body = {"Username": USERNAME, "Password": PASSWORD, "AccountId": made["AccountId"]}
    await partner.session(MarketplaceId=28, AccountId=made["AccountId"])
    assert "/launch/marketplace/28" in (await partner.json("POST", "/v1.0/users/launch", json=body))["LaunchUrl"]
    unknown = body | {"AccountId": "new", "AccountName": "New"}
    refused = await partner.json("POST", "/v1.0/users/launch", 400, json=unknown)
    assert refused["Errors"][0]["Field"] == "MarketplaceId"


async def test_a_session_is_on_record_with_all_that_it_made(api: Api, partner: Partner) -> None:
    made = await partner.session()
    log = (await api.json("GET", "/v1/audit?action=createMarketplaceSession", 200))["data"]
    kinds = {one["kind"]: one for one in log}
    assert set(kinds) == {"marketplace", "account", "user", "connector", "session"}
    assert {one["clientId"] for one in log} == {partner.client_id}
    assert kinds["account"]["objectId"] == made["AccountId"]
    assert NEW_ACCOUNT["partnerConnector"]["AuthValue"] not in str(log)
    assert PASSWORD not in str(kinds["user"]["after"]["password_hash"])
