"""One-time links for host applications' users: what makes them, what refuses them, and what is left behind."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from redis.asyncio import Redis

from dispatcher.api.installing import INSTALLING, Installing
from dispatcher.store.installations.parties.sessions import Opening
from tests.api.conftest import Api, Start
from tests.api.installations.embedding import NEW_ACCOUNT, PASSWORD, USERNAME, Partner, open_shop, partner_of

PATH = "/v1.0/users/marketplace"
SLOPPY_ID = "0000000-0000-0000-0000-000000000000"


@pytest.fixture
async def partner(api: Api) -> Partner:
    await open_shop(api)
    return await partner_of(api, 27)


def installing(api: Api) -> Installing:
    assert api.http.app is not None
    return api.http.app[INSTALLING]


async def everything(redis: Redis) -> dict[bytes, Any]:
    """What the store holds of this room, to see that a refusal left nothing."""
    found = {}
    for key in [one async for one in redis.scan_iter("{def}:*")]:
        if any(part in key for part in (b":acc", b":user", b":con:", b":session", b":mk-")):
            found[key] = await redis.dump(key)
    return found


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


@pytest.mark.parametrize("account_id", ["x" * 129, "a b", 'a"b', "a\\b", "ümlaut", "a\u0000b"])
async def test_an_account_id_is_what_a_scope_may_hold(partner: Partner, account_id: str) -> None:
    refused = await partner.session(400, AccountId=account_id)
    assert refused["Errors"][0]["Field"] == "AccountId"


@pytest.mark.parametrize("username", ["", "   ", None])
async def test_c6_a_user_name_is_needed(partner: Partner, username: str | None) -> None:
    refused = await partner.session(400, Username=username)
    assert refused["Errors"][0]["Field"] == "Username"


async def test_c6_a_user_of_another_account_is_403(partner: Partner) -> None:
    await partner.session()
    other = await partner.session(AccountName="Customer Y", Username="other@example.com")
    for changed in ({"AccountName": "Customer Y"}, {"AccountId": other["AccountId"], "AccountName": None}):
        refused = await partner.session(403, **changed)
        assert refused["Errors"][0]["Code"] == "user_of_another_account"


async def test_c6_user_names_differ_by_more_than_case(api: Api, partner: Partner) -> None:
    made = await partner.session()
    again = await partner.session(Username=USERNAME.upper())
    assert again["AccountId"] == made["AccountId"]
    assert len(await installing(api).accounts.users_of(made["AccountId"])) == 1


async def test_a_second_user_of_an_account_is_made(api: Api, partner: Partner) -> None:
    made = await partner.session()
    await partner.session(AccountId=made["AccountId"], Username="second@example.com", Password="another", Role="member")
    users = await installing(api).accounts.users_of(made["AccountId"])
    roles = {one.username: one.role.value for one in users}
    assert roles == {USERNAME: "OWNER", "second@example.com": "MEMBER"}


async def test_c7_a_wrong_password_is_401_without_a_session(api: Api, partner: Partner) -> None:
    await partner.session()
    before = await everything(api.redis)
    answer = await partner.ask("POST", PATH, json=NEW_ACCOUNT | {"Password": "wrong"})
    assert answer.status == 401
    assert "WWW-Authenticate" not in answer.headers
    assert (await answer.json())["Errors"][0]["Code"] == "wrong_password"
    assert await everything(api.redis) == before


async def test_c7_passwords_are_kept_as_scrypt_only(api: Api, partner: Partner) -> None:
    secret = "c0mpl3x_P455w0rd-of-this-test"
    made = await partner.session(Password=secret)
    (user,) = await installing(api).accounts.users_of(made["AccountId"])
    assert re.fullmatch(r"scrypt\$16384\$8\$1\$[^$]+\$[^$]+", user.password_hash)
    assert secret.encode() not in b"".join((await everything(api.redis)).values())


@pytest.mark.parametrize("password", ["", None, "x" * 1025, "ü" * 513, 5])
async def test_a_password_is_not_empty_and_has_1_kib_at_most(partner: Partner, password: Any) -> None:
    refused = await partner.session(400, Password=password)
    assert refused["Errors"][0]["Field"] == "Password"


async def test_guessing_passwords_is_stopped_for_that_user(start: Start) -> None:
    api = await start(password_failures=3)
    await open_shop(api, productIds=[])
    partner, other = await partner_of(api, 27), await partner_of(api, 27)
    await partner.session()
    for _ in range(3):
        await partner.session(401, Password="wrong")
    answer = await partner.ask("POST", PATH, json=NEW_ACCOUNT)
    assert (answer.status, "Retry-After" in answer.headers) == (429, True)
    await partner.session(429, Username=USERNAME.upper())
    await partner.session(Username="second@example.com", AccountName="Customer Y")
    await other.session()


async def test_c8_without_a_connector_there_is_none(partner: Partner) -> None:
    made = await partner.session(partnerConnector=None)
    assert await partner.connectors(made["AccountId"]) == []


@pytest.mark.parametrize(("given", "inline"), [(None, True), (True, True), (False, False)])
async def test_c15_connectors_authorize_inline_unless_told_otherwise(
    api: Api, partner: Partner, given: Any, inline: bool
) -> None:
    made = await partner.session(InlineOAuth=given)
    opened = await installing(api).links.open(made["Token"], api.services.now_ms())
    assert opened.session is not None
    assert opened.session.inline_oauth is inline


async def test_c17_a_link_lives_five_minutes(api: Api, partner: Partner) -> None:
    made = await partner.session()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["ExpiresAtUtc"])
    links, now_ms = installing(api).links, api.services.now_ms()
    assert (await links.look(made["Token"], now_ms + 299_999)).outcome is Opening.OPENED
    assert (await links.open(made["Token"], now_ms + 300_000)).outcome is Opening.EXPIRED


async def test_c18_c24_the_link_starts_with_the_deployments_own_address(start: Start) -> None:
    api = await start(public_base_url="https://m.example")
    await open_shop(api, productIds=[])
    made = await (await partner_of(api, 27)).session()
    link = urlsplit(made["MarketplaceUrl"])
    assert (link.scheme, link.netloc, link.path) == ("https", "m.example", "/account/signinwithtoken")
    query = parse_qs(link.query, strict_parsing=True)
    assert query == {"token": [made["Token"]], "returnUrl": ["https://m.example/launch/marketplace/27"]}


async def test_c19_only_a_hash_of_the_token_is_kept(api: Api, partner: Partner) -> None:
    made = await partner.session()
    assert len(base64.b64decode(made["Token"], validate=True)) == 32
    for key in [one async for one in api.redis.scan_iter("*")]:
        assert made["Token"].encode() not in key
    assert made["Token"].encode() not in b"".join((await everything(api.redis)).values())
    log = await api.json("GET", "/v1/audit", 200)
    assert made["Token"] not in str(log)


async def test_c20_a_link_opens_once_however_many_ask_at_once(api: Api, partner: Partner) -> None:
    made = await partner.session()
    links, now_ms = installing(api).links, api.services.now_ms()
    outcomes = [one.outcome for one in await asyncio.gather(*(links.open(made["Token"], now_ms) for _ in range(20)))]
    assert sorted(outcomes) == [Opening.OPENED] + [Opening.USED] * 19
    assert (await links.open("unknown", now_ms)).outcome is Opening.UNKNOWN
    assert (await links.open("x" * 10_000, now_ms)).outcome is Opening.UNKNOWN


async def test_looking_at_a_link_does_not_open_it(api: Api, partner: Partner) -> None:
    made = await partner.session(CompleteParameter="order 4711", HostUrl="https://shop.example.com/apps")
    links, now_ms = installing(api).links, api.services.now_ms()
    assert (await links.look(made["Token"], now_ms)).outcome is Opening.OPENED
    opened = await links.open(made["Token"], now_ms)
    assert opened.outcome is Opening.OPENED
    assert opened.session is not None
    assert (opened.session.complete_parameter, opened.session.host_url) == (
        "order 4711",
        "https://shop.example.com/apps",
    )
    used = await links.look(made["Token"], now_ms)
    assert (used.outcome, used.session) == (Opening.USED, opened.session)


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


async def test_two_fields_that_differ_in_case_only_are_refused(partner: Partner) -> None:
    for body in (NEW_ACCOUNT | {"username": "x"}, NEW_ACCOUNT | {"PartnerConnector": {"Name": "a", "name": "b"}}):
        refused = await partner.json("POST", PATH, 400, json=body)
        assert refused["Errors"][0]["Code"] == "duplicate_name"


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


async def test_ending_sessions_ends_links_that_were_not_opened(api: Api, partner: Partner) -> None:
    made = await partner.session()
    answer = await partner.ask("DELETE", f"/v1.0/accounts/{made['AccountId']}/sessions")
    assert answer.status == 204
    links, now_ms = installing(api).links, api.services.now_ms()
    assert (await links.open(made["Token"], now_ms)).outcome is Opening.EXPIRED
    later = await partner.session()
    assert (await links.open(later["Token"], now_ms)).outcome is Opening.OPENED
    assert (await partner.ask("DELETE", "/v1.0/accounts/unknown/sessions")).status == 404


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
