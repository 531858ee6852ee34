"""A partner's token for one account: what it reaches, and who is given one."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientResponse

from dispatcher.model.access import ACCOUNT_SCOPES
from tests.api.conftest import Api, basic
from tests.api.installations.embedding import Partner, open_shop, partner_of

ENDPOINTS = ["/oauth2/token", "/oauth/token"]


@pytest.fixture
async def partner(api: Api) -> Partner:
    await open_shop(api)
    return await partner_of(api, 27)


async def asked(partner: Partner, endpoint: str, scope: str | None) -> ClientResponse:
    form = {"grant_type": "client_credentials", "client_id": partner.client_id, "client_secret": partner.secret}
    return await partner.api.http.post(endpoint, data=form | ({"scope": scope} if scope is not None else {}))


async def narrowed(partner: Partner, account_id: str, more: str = "") -> Partner:
    answer = await asked(partner, "/oauth2/token", f"account:{account_id} {more}".strip())
    body = await answer.json()
    assert answer.status == 200, body
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    return Partner(partner.api, headers, partner.client_id, partner.secret)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_both_endpoints_narrow_a_token_to_an_account(partner: Partner, endpoint: str) -> None:
    account_id = (await partner.session())["AccountId"]
    answer = await asked(partner, endpoint, f"account:{account_id}")
    body = await answer.json()
    assert answer.status == 200, body
    assert set(body["scope"].split()) == {f"account:{account_id}", *ACCOUNT_SCOPES}
    assert body.get("clientId") == (partner.client_id if endpoint == "/oauth/token" else None)


async def test_the_partners_own_token_comes_from_either_endpoint(partner: Partner) -> None:
    for endpoint in ENDPOINTS:
        body = await (await asked(partner, endpoint, None)).json()
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        assert (await partner.api.http.get("/v1/marketplaces", headers=headers)).status == 200
    answer = await partner.api.http.post(
        "/oauth/token", data={"grant_type": "client_credentials"}, headers=basic(partner.client_id, partner.secret)
    )
    assert (await answer.json())["clientId"] == partner.client_id


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "scope",
    ["account:unknown", "account:", "account:{0} account:{1}", "account:{0} events:write", "account:{0} clients:admin"],
)
async def test_a_scope_that_cannot_be_granted_is_invalid_scope(partner: Partner, endpoint: str, scope: str) -> None:
    first = (await partner.session())["AccountId"]
    second = (await partner.session(AccountName="Customer Y", Username="other@example.com"))["AccountId"]
    answer = await asked(partner, endpoint, scope.format(first, second))
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_scope")


async def test_only_partners_that_reach_the_account_narrow_a_token_to_it(api: Api, partner: Partner) -> None:
    account_id = (await partner.session())["AccountId"]
    await open_shop(api, 28)
    elsewhere = await partner_of(api, 28)
    client, secret = await api.services.clients.create(frozenset({"events:read", "ops:read"}), "other", None, 0)
    nobody = Partner(api, {}, client.client_id, secret)
    for one in (elsewhere, nobody):
        answer = await asked(one, "/oauth2/token", f"account:{account_id}")
        assert (answer.status, (await answer.json())["error"]) == (400, "invalid_scope")


async def test_a_wrong_secret_does_not_learn_which_accounts_there_are(partner: Partner) -> None:
    account_id = (await partner.session())["AccountId"]
    guesser = Partner(partner.api, {}, partner.client_id, "wrong")
    answers = [await asked(guesser, "/oauth/token", f"account:{one}") for one in (account_id, "unknown")]
    assert {answer.status for answer in answers} == {401}
    assert {(await answer.json())["error"] for answer in answers} == {"invalid_client"}


async def test_it_reaches_what_is_the_accounts_and_nothing_else(partner: Partner) -> None:
    account_id = (await partner.session())["AccountId"]
    account = await narrowed(partner, account_id)
    (connector,) = await account.json("GET", "/v1.0/account/connectors")
    assert (connector["AccountId"], connector["AuthValue"]) == (account_id, "******")
    await account.json("GET", "/v1/events")
    await account.json("GET", "/v1/integrations")
    refused = {
        ("POST", "/v1.0/users/marketplace"): {},
        ("GET", "/v1/marketplaces"): None,
        ("POST", "/graphql"): {"query": "{ productIntegrations { id } }"},
        ("POST", "/v1/events"): {"type": "create", "productId": "P-1", "accountId": account_id},
        ("GET", "/v1/clients"): None,
        ("GET", "/v1/queue"): None,
        ("DELETE", f"/v1.0/accounts/{account_id}/sessions"): None,
    }
    for (method, path), body in refused.items():
        answer = await account.ask(method, path, json=body)
        assert answer.status == 403, path


async def test_it_may_hold_less(partner: Partner) -> None:
    account_id = (await partner.session())["AccountId"]
    reader = await narrowed(partner, account_id, "events:read")
    await reader.json("GET", "/v1/events")
    assert (await reader.ask("GET", "/v1.0/account/connectors")).status == 403


async def test_d1_the_header_names_no_other_account(partner: Partner) -> None:
    ours = (await partner.session())["AccountId"]
    theirs = (await partner.session(AccountName="Customer Y", Username="other@example.com"))["AccountId"]
    account = await narrowed(partner, ours)
    await account.json("GET", "/account/connectors", 200, headers={"X-Cyclr-Account": ours})
    for other in (theirs, "unknown"):
        await account.json("GET", "/account/connectors", 403, headers={"X-Cyclr-Account": other})


async def test_it_ends_when_the_client_no_longer_reaches_the_account(api: Api, partner: Partner) -> None:
    account_id = (await partner.session())["AccountId"]
    account = await narrowed(partner, account_id)
    await account.json("GET", "/v1/events")
    path = f"/v1/clients/{partner.client_id}"
    await api.json("PATCH", path, 200, json={"marketplaces": [28]})
    api.clock.now_s += 5
    await account.json("GET", "/v1/events", 401)
    await api.json("PATCH", path, 200, json={"marketplaces": [27]})
    await account.json("GET", "/v1/events")


async def test_introspection_says_what_it_is_for(partner: Partner) -> None:
    account_id = (await partner.session())["AccountId"]
    account = await narrowed(partner, account_id)
    token = account.headers["Authorization"].removeprefix("Bearer ")
    form: dict[str, Any] = {"token": token, "client_id": partner.client_id, "client_secret": partner.secret}
    told = await (await partner.api.http.post("/oauth2/introspect", data=form)).json()
    assert (told["active"], f"account:{account_id}" in told["scope"].split()) == (True, True)


async def test_a_key_of_one_account_says_nothing_to_another(partner: Partner) -> None:
    """Symptom: the second account was answered with the record of the first, and got none of its own."""
    first = (await partner.session())["AccountId"]
    second = (await partner.session(AccountName="Customer Y", Username="y@example.com"))["AccountId"]
    made, key = [], {"Idempotency-Key": "k"}
    for account_id in (first, second):
        own = await narrowed(partner, account_id)
        answer = await own.ask("POST", "/v1/integrations", json={"name": "Ledger"}, headers=key)
        assert answer.status == 201, await answer.text()
        assert "Idempotency-Replayed" not in answer.headers
        made.append((await answer.json())["_id"])
        again = await own.ask("POST", "/v1/integrations", json={"name": "Ledger"}, headers=key)
        assert (again.headers["Idempotency-Replayed"], (await again.json())["_id"]) == ("true", made[-1])
    assert made[0] != made[1]
