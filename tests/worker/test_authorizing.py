"""Connectors that a user authorizes at the product's own authorization server: the way there, back, and renewal."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from dispatcher.api.installing import AUTHORIZING
from dispatcher.errors import NotFound, Unprocessable
from dispatcher.flow.connectors.authorizing import Authorizing
from dispatcher.flow.installations.customers import Customer
from dispatcher.model.connector import AccountConnector
from dispatcher.model.status import Status
from dispatcher.store.installations.parties.connectors import ConnectorStore, connector_place, put_connector
from dispatcher.store.installations.writing.editing import Transaction
from tests.hosts import ProductHost, Received, Reply
from tests.waiting import until
from tests.worker.connector_parts import app
from tests.worker.test_connecting import NAME, Page, page

__all__ = ["app", "page"]

SECRET = "S3cre1-of-the-template"
SESSION = "session-of-this-browser"


class Issuer:
    """An authorization server's token endpoint. Refresh tokens are good for one use."""

    def __init__(self, host: ProductHost) -> None:
        self.host = host
        self.number = 0
        self.expires_in = 3600
        self.refusal: Reply | None = None
        self.subject: str | None = None
        host.default = self.answer

    @property
    def forms(self) -> list[dict[str, str]]:
        return [
            {name: one[0] for name, one in parse_qs(request.body.decode()).items()} for request in self.host.requests
        ]

    def answer(self, _: Received) -> Reply:
        if self.refusal is not None:
            return self.refusal
        self.number += 1
        tokens = {"access_token": f"access-{self.number}", "refresh_token": f"refresh-{self.number}"}
        if self.subject:
            claims = {"iss": "https://ledger.example.com", "aud": ["marketplace"], "sub": self.subject}
            tokens["id_token"] = f"e30.{base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip('=')}.c2ln"
        return Reply.of(200, tokens | {"token_type": "Bearer", "expires_in": self.expires_in})


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with ProductHost() as host:
        yield Issuer(host)


@pytest.fixture
async def user(page: Page, issuer: Issuer) -> Page:
    template = (await page.app.json("GET", "/v1/connector-templates"))["data"][0]
    body = {
        "name": NAME,
        "integrationId": template["integrationId"],
        "authType": "OAUTH2",
        "authorizeUri": "https://ledger.example.com/authorize?tenant=a",
        "tokenUri": issuer.host.url("/token"),
        "clientId": "marketplace",
        "clientSecret": SECRET,
        "scope": "read write",
    }
    await page.app.json("PUT", f"/v1/connector-templates/{template['id']}", body)
    return page


def authorizing(page: Page) -> Authorizing:
    assert page.app.http.app is not None
    found: Authorizing = page.app.http.app[AUTHORIZING]
    return found


async def begun(page: Page) -> dict[str, str]:
    """The query of the address that the user is sent to."""
    url = await authorizing(page).begin(page.installation, NAME, SESSION, page.customer)
    assert url.startswith("https://ledger.example.com/authorize?")
    return {name: one[0] for name, one in parse_qs(urlsplit(url).query).items()}


async def come_back(page: Page, state: str, **changed: Any) -> None:
    by: Customer = changed.pop("by", page.customer)
    given = {"code": "code-1", "error": None, "session": SESSION} | changed
    await authorizing(page).complete(state, by=by, **given)


async def mine(page: Page) -> Any:
    return next((one for one in await page.app.connectors("A") if one["Name"] == NAME), None)


async def stored(page: Page) -> AccountConnector:
    found = await ConnectorStore(page.app.shop.redis).get((await mine(page))["Id"])
    assert found is not None
    return found


async def authorized(page: Page) -> AccountConnector:
    await come_back(page, (await begun(page))["state"])
    return await stored(page)


async def aged(page: Page, expires_ms: int) -> None:
    """The token as if it had been given long ago."""
    transaction = Transaction(page.app.shop.redis)
    current = await transaction.read(connector_place((await mine(page))["Id"]))
    assert current is not None
    await put_connector(transaction, replace(current, expires_ms=expires_ms))
    assert await transaction.commit()


async def notified(page: Page) -> Received:
    integration = await page.app.shop.definitions.needed(str(page.installation.integration_id))
    return await page.app.notified(integration, revision=2)


async def test_the_user_is_sent_there_with_pkce_and_comes_back_with_tokens(user: Page, issuer: Issuer) -> None:
    query = await begun(user)
    assert (query["response_type"], query["client_id"], query["scope"]) == ("code", "marketplace", "read write")
    assert (query["tenant"], query["code_challenge_method"]) == ("a", "S256")
    assert query["redirect_uri"] == "http://dispatcher.test/account/authorized"
    await come_back(user, query["state"])
    (form,) = issuer.forms
    challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
    assert challenge.decode() == query["code_challenge"]
    assert (form["grant_type"], form["code"]) == ("authorization_code", "code-1")
    assert form["redirect_uri"] == query["redirect_uri"]
    pair = base64.b64encode(f"marketplace:{SECRET}".encode()).decode()
    assert issuer.host.requests[0].headers["Authorization"] == f"Basic {pair}"
    assert ((await mine(user))["AuthValue"], (await mine(user))["Authenticated"]) == ("access-1", True)
    assert (await notified(user)).headers["Authorization"] == "Bearer access-1"
    assert (await user.steps())[0].completed


async def test_tokens_and_what_leads_to_them_are_sealed_in_the_store(user: Page) -> None:
    query = await begun(user)
    await authorized(user)
    names = [one async for one in user.app.shop.redis.scan_iter("*")]
    everything = b"".join([await user.app.shop.redis.dump(one) or b"" for one in names])
    for secret in (b"access-1", b"refresh-1", SECRET.encode(), query["state"].encode(), b"code-1"):
        assert secret not in everything
        assert not any(secret in name for name in names)


@pytest.mark.parametrize("wrong", ["session", "user", "state", "twice"])
async def test_a_state_is_good_for_one_browser_and_one_use(user: Page, issuer: Issuer, wrong: str) -> None:
    state = (await begun(user))["state"]
    changed: dict[str, Any] = {}
    if wrong == "session":
        changed["session"] = "another"
    if wrong == "user":
        changed["by"] = replace(user.customer, user=replace(user.customer.user, id="another"))
    if wrong == "twice":
        await come_back(user, state)
    issuer.host.requests.clear()
    with pytest.raises(Unprocessable) as refusal:
        await come_back(user, "unknown" if wrong == "state" else state, **changed)
    assert refusal.value.problems[0].code == "authorization_over"
    assert issuer.host.requests == []


async def test_a_refusal_saves_nothing_and_says_why(user: Page, issuer: Issuer) -> None:
    state = (await begun(user))["state"]
    with pytest.raises(Unprocessable, match="access_denied"):
        await come_back(user, state, code=None, error="access_denied")
    issuer.refusal = Reply.of(400, {"error": "invalid_grant", "error_description": f"bad code-1 {SECRET}"})
    state = (await begun(user))["state"]
    with pytest.raises(Unprocessable) as refusal:
        await come_back(user, state)
    text = str(refusal.value)
    assert "invalid_grant" in text
    assert "code-1" not in text
    assert SECRET not in text
    assert await mine(user) is None


async def test_other_connections_are_not_authorized_in_this_way(page: Page) -> None:
    with pytest.raises(NotFound):
        await authorizing(page).begin(page.installation, NAME, SESSION, page.customer)


async def test_a_token_is_renewed_before_it_expires_by_one_worker_for_all(user: Page, issuer: Issuer) -> None:
    await authorized(user)
    await aged(user, user.services.now_ms() + 30_000)
    issuer.host.requests.clear()

    async def arrives_renewed() -> bool:
        return (await notified(user)).headers["Authorization"] == "Bearer access-2"

    await until(arrives_renewed)
    (form,) = issuer.forms
    assert form == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    after = await stored(user)
    assert after.expires_ms is not None
    assert after.expires_ms > user.services.now_ms() + 3_000_000
    assert (await notified(user)).headers["Authorization"] == "Bearer access-2"
    assert len(issuer.forms) == 1


async def test_a_401_buys_another_token_before_it_holds_anything(user: Page, issuer: Issuer) -> None:
    await authorized(user)

    def newer_only(request: Received) -> Reply:
        return Reply(401, b"") if request.headers.get("Authorization") == "Bearer access-1" else Reply()

    user.app.shop.host.default = newer_only
    integration = await user.app.shop.definitions.needed(str(user.installation.integration_id))
    ended = await user.app.shop.ended(await user.app.shop.emit(integration, "A", revision=2))
    assert (ended.state.status, ended.state.attempts) == (Status.SUCCEEDED, 2)
    assert (await mine(user))["NeedsAttention"] is None


async def test_a_renewal_that_is_refused_for_good_holds_events_until_the_user_comes_again(
    user: Page, issuer: Issuer
) -> None:
    await authorized(user)
    await aged(user, 1)
    issuer.refusal = Reply.of(400, {"error": "invalid_grant"})
    integration = await user.app.shop.definitions.needed(str(user.installation.integration_id))
    await user.app.shop.stop_all()
    await user.app.shop.work()
    event_id = await user.app.shop.emit(integration, "A", revision=2)
    await user.app.shop.status(event_id, Status.HELD)
    assert (await mine(user))["NeedsAttention"]
    issuer.refusal = None
    await authorized(user)
    assert (await user.app.shop.ended(event_id)).state.status is Status.SUCCEEDED


async def test_an_endpoint_that_is_away_keeps_a_token_in_use_that_still_serves(user: Page, issuer: Issuer) -> None:
    await authorized(user)
    await aged(user, user.services.now_ms() + 30_000)
    issuer.refusal = Reply(503, b"")
    await user.app.shop.stop_all()
    await user.app.shop.work()
    assert (await notified(user)).headers["Authorization"] == "Bearer access-1"


async def test_c35_another_users_authorization_is_refused_and_the_old_one_kept(user: Page, issuer: Issuer) -> None:
    issuer.subject = "sam"
    await authorized(user)
    await user.services.customers.check_step(user.installation, "verify", user.customer)
    issuer.subject = "kim"
    with pytest.raises(Unprocessable, match="kim, but sam is connected") as refusal:
        await authorized(user)
    assert refusal.value.problems[0].code == "another_account"
    assert (await mine(user))["AuthValue"] == "access-1"
    for subject, token in (("sam", "access-3"), (None, "access-4")):
        issuer.subject = subject
        await authorized(user)
        assert (await mine(user))["AuthValue"] == token
