"""Delivery to accounts that have a connector: what authorizes, where it goes, and what never goes along."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from dispatcher.api.app import build_app
from dispatcher.flow.integrations.publish import publish
from dispatcher.marketplace.routes import mount_marketplace
from dispatcher.model.integration import Header, Integration
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.secrets import fields as sealed_fields
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, basic
from tests.hosts import ProductHost, Received, Reply
from tests.ports import free_port
from tests.serving import Http, asking
from tests.waiting import until
from tests.worker.conftest import Shop

BASIC = "dXNlcm5hbWU6cGFzc3dvcmQ="
PRODUCT = "P"


@dataclass
class HostApplication:
    """A partner's backend on the store that the shop's workers use."""

    shop: Shop
    http: Http
    headers: dict[str, str] = field(default_factory=dict)

    async def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = await self.http.request(method, path, json=body, headers=self.headers | headers)
        read = await answer.json()
        assert answer.status < 300, read
        return read

    async def sells(self, integration: Integration) -> None:
        await self.shop.definitions.link(PRODUCT, integration.id, 3)
        await self.json("POST", "/v1/marketplaces", {"id": 27, "name": "Acme", "productIds": [PRODUCT]})

    async def connects(self, account: str, **connector: Any) -> int:
        """The account's connector to the integration that is called Test; returns its id."""
        body = {
            "MarketplaceId": 27,
            "Username": f"user@{account}.example",
            "Password": "password",
            "AccountId": account,
            "AccountName": account,
            "PartnerConnector": {"Name": "Test"} | connector,
        }
        await self.json("POST", "/v1.0/users/marketplace", body)
        return int((await self.connectors(account))[0]["Id"])

    async def connectors(self, account: str) -> Any:
        return await self.json("GET", "/account/connectors", **{"X-Cyclr-Account": account})

    async def change(self, account: str, connector_id: int, **changed: Any) -> Any:
        path = f"/v1.0/account/connectors/{connector_id}"
        return await self.json("PUT", path, changed, **{"X-Cyclr-Account": account})

    async def notified(self, integration: Integration, account: str = "A", **more: Any) -> Received:
        """The request that the next event of the account arrives as."""
        before = len(self.shop.host.requests)
        await self.shop.ended(await self.shop.emit(integration, account, **more))
        (request,) = self.shop.host.requests[before:]
        return request

    async def refused(self, integration: Integration, account: str = "A", **more: Any) -> StoredEvent:
        """An event of the account that comes to nothing, with no request made."""
        before = len(self.shop.host.requests)
        ended = await self.shop.ended(await self.shop.emit(integration, account, **more))
        assert len(self.shop.host.requests) == before
        assert (ended.state.status, ended.state.error_code) == (Status.DEAD, "CONFIGURATION_ERROR")
        return ended


@pytest.fixture
async def app(shop: Shop) -> AsyncIterator[HostApplication]:
    admin = {"admin_client_id": ADMIN_ID, "admin_client_secret": SecretStr(ADMIN_SECRET)}
    built = await build_app(shop.settings.model_copy(update=admin), shop.redis)
    mount_marketplace(built)
    async with asking(built) as http:
        form = {"grant_type": "client_credentials"}
        token = await (await http.post("/oauth2/token", data=form, headers=basic(ADMIN_ID, ADMIN_SECRET))).json()
        await shop.work()
        yield HostApplication(shop, http, {"Authorization": f"Bearer {token['access_token']}"})
        await shop.stop_all()


@pytest.fixture
async def second_host() -> AsyncIterator[ProductHost]:
    async with ProductHost() as host:
        yield host


def origin_of(host: ProductHost) -> str:
    return host.url("")


def authorization(request: Received) -> dict[str, str]:
    """Whatever authorizes the request."""
    names = ("Authorization", "X-Api-Key")
    return {name: request.headers[name] for name in names if name in request.headers}


async def test_c11_x2_basic_beats_the_integrations_own_credentials(app: HostApplication) -> None:
    integration = await app.shop.integration(oauth2=True)
    await app.sells(integration)
    await app.connects("A", AuthValue=BASIC)
    request = await app.notified(integration)
    assert authorization(request) == {"Authorization": f"Basic {BASIC}"}
    assert request.headers["webhook-signature"].startswith("v1,")
    assert app.shop.host.tokens.requests == []


async def test_c12_an_api_key_goes_into_its_own_header(app: HostApplication) -> None:
    integration = await app.shop.integration(oauth2=True)
    await app.sells(integration)
    await app.connects("A", AuthValue="plain-key")
    assert authorization(await app.notified(integration)) == {"X-Api-Key": "plain-key"}


async def test_c13_an_oauth_token_is_a_bearer(app: HostApplication) -> None:
    integration = await app.shop.integration(oauth2=True)
    await app.sells(integration)
    await app.connects("A", AuthValue="token.of-the-account", AuthType="OAuth")
    assert authorization(await app.notified(integration)) == {"Authorization": "Bearer token.of-the-account"}


async def test_d6_x2_without_a_value_the_integrations_credentials_authorize(app: HostApplication) -> None:
    integration = await app.shop.integration(oauth2=True)
    await app.sells(integration)
    await app.connects("A")
    assert authorization(await app.notified(integration))["Authorization"].startswith("Bearer ")
    await app.connects("B", AuthValue=BASIC)
    assert authorization(await app.notified(integration, "C"))["Authorization"].startswith("Bearer ")


async def test_d11_a_changed_value_is_used_by_the_next_delivery(app: HostApplication) -> None:
    integration = await app.shop.integration()
    await app.sells(integration)
    connector = await app.connects("A")
    assert authorization(await app.notified(integration)) == {}
    for value in (BASIC, "plain-key"):
        await app.change("A", connector, AuthValue=value)

        async def arrives_with(value: str = value) -> bool:
            return value in str(authorization(await app.notified(integration)))

        await until(arrives_with)


async def test_a_label_that_names_nothing_is_never_sent(app: HostApplication) -> None:
    integration = await app.shop.integration()
    await app.sells(integration)
    await app.connects("A", Name="Another", AuthValue=BASIC)
    assert authorization(await app.notified(integration)) == {}


async def test_c14_x3_url_moves_scheme_host_and_port_and_keeps_the_path(
    app: HostApplication, second_host: ProductHost
) -> None:
    integration = await app.shop.integration({"upgradeUrl": app.shop.host.url("/hooks/x") + "?a=1"})
    await app.sells(integration)
    await app.connects("A", AuthValue=BASIC, Properties=[{"Name": "Url", "Value": origin_of(second_host)}])
    await app.shop.ended(await app.shop.emit(integration, "A"))
    (request,) = second_host.requests
    assert (request.path, authorization(request)) == ("/hooks/x?a=1", {"Authorization": f"Basic {BASIC}"})
    assert app.shop.host.requests == []
    assert authorization(await app.notified(integration, "B")) == {}


async def test_c14_variables_are_filled_and_encoded(app: HostApplication) -> None:
    integration = await app.shop.integration({"upgradeUrl": app.shop.host.url("/{Region}/{Plan}") + "?r={Region}"})
    await app.sells(integration)
    properties = [{"Name": "Region", "Value": "eu/../admin"}, {"Name": "Plan", "Value": "a b?x=1#f"}]
    await app.connects("A", Properties=properties)
    request = await app.notified(integration)
    path, _, query = request.path.partition("?")
    assert path == "/eu%2F..%2Fadmin/a%20b%3Fx%3D1%23f"
    assert query == "r=eu%2F..%2Fadmin"


async def test_c14_a_variable_without_a_value_sends_nothing(app: HostApplication) -> None:
    integration = await app.shop.integration({"upgradeUrl": app.shop.host.url("/{Region}")}, schedule_s=(0.05,))
    await app.sells(integration)
    await app.connects("A", Properties=[{"Name": "Other", "Value": "x"}])
    ended = await app.refused(integration)
    assert "Region" in str(ended.state.error_message)
    await app.refused(integration, "without-a-connector")


async def test_nothing_of_the_publishers_goes_to_a_host_that_the_account_named(
    app: HostApplication, second_host: ProductHost
) -> None:
    integration = await app.shop.integration(oauth2=True)
    hidden = app.shop.sealer.seal("hidden", sealed_fields.header_value(integration.id, "X-Secret"))
    headers = (Header("X-Secret", hidden, secret=True), Header("X-Tenant", "acme"))

    def with_headers(current: Integration) -> Integration:
        return replace(current, working=replace(current.working, headers=headers))

    await app.shop.definitions.edit(integration.id, with_headers)
    integration = await publish(app.shop.definitions, integration.id, "test", 4)
    await app.sells(integration)
    await app.connects("A", Properties=[{"Name": "Url", "Value": origin_of(second_host)}])
    await app.shop.ended(await app.shop.emit(integration, "A", revision=2))
    (request,) = second_host.requests
    assert authorization(request) == {}
    assert "X-Secret" not in request.headers
    assert request.headers["X-Tenant"] == "acme"
    assert app.shop.host.tokens.requests == []


async def test_an_old_value_does_not_follow_a_revision_to_another_origin(
    app: HostApplication, second_host: ProductHost
) -> None:
    integration = await app.shop.integration(schedule_s=(0.05,))
    await app.sells(integration)
    connector = await app.connects("A", AuthValue=BASIC)
    assert authorization(await app.notified(integration)) == {"Authorization": f"Basic {BASIC}"}

    def moved(current: Integration) -> Integration:
        urls = {"upgradeUrl": second_host.url()}
        return replace(current, working=replace(current.working, urls=urls))

    await app.shop.definitions.edit(integration.id, moved)
    integration = await publish(app.shop.definitions, integration.id, "test", 4)
    ended = await app.refused(integration, revision=2)
    assert "another origin" in str(ended.state.error_message)
    assert second_host.requests == []
    await app.change("A", connector, AuthValue=BASIC)

    async def arrives() -> bool:
        await app.shop.ended(await app.shop.emit(integration, "A", revision=2))
        return len(second_host.requests) > 0

    await until(arrives)


async def test_a_host_that_repeats_the_value_does_not_bring_it_into_the_store(app: HostApplication) -> None:
    integration = await app.shop.integration()
    await app.sells(integration)
    await app.connects("A", AuthValue="key-that-is-repeated-4711")
    app.shop.host.replies.append(Reply.of(200, {"success": False, "message": "bad key-that-is-repeated-4711"}))
    event_id = await app.shop.emit(integration, "A")
    await app.shop.ended(event_id)
    (attempt,) = await app.shop.attempts([event_id])
    assert "4711" not in f"{attempt.response_body} {attempt.error_detail}"


async def test_an_accounts_dead_host_does_not_open_the_circuit_of_all(app: HostApplication) -> None:
    integration = await app.shop.integration(schedule_s=(0.01,) * 12)
    await app.sells(integration)
    await app.connects("A", AuthValue=BASIC, Properties=[{"Name": "Url", "Value": f"http://127.0.0.1:{free_port()}"}])
    ended = await app.shop.ended(await app.shop.emit(integration, "A"))
    assert ended.state.status is Status.DEAD
    assert authorization(await app.notified(integration, "B")) == {}


def test_the_basic_value_of_the_document_is_a_pair() -> None:
    assert base64.b64decode(BASIC) == b"username:password"


async def needs_attention(app: HostApplication, account: str = "A") -> str | None:
    return (await app.connectors(account))[0]["NeedsAttention"]  # type: ignore[no-any-return]


async def test_c35_a_refused_value_holds_the_accounts_events_until_there_is_another(app: HostApplication) -> None:
    integration = await app.shop.integration(schedule_s=())
    await app.sells(integration)
    connector = await app.connects("A", AuthValue="old-value")

    def only_new(request: Received) -> Reply:
        return Reply() if request.headers.get("X-Api-Key") == "new-value" else Reply(401, b"")

    app.shop.host.default = only_new
    first = await app.shop.emit(integration, "A", payload={"n": 1})
    await until(lambda: needs_attention(app))
    later = [await app.shop.emit(integration, "A", payload={"n": n}) for n in (2, 3)]
    await app.shop.status(first, Status.HELD)
    explained = await app.json("GET", f"/v1/events/{first}/explain")
    assert explained["reason"] == "credentials_refused"
    assert len(app.shop.host.requests) == 1
    app.shop.host.default = Reply()
    await app.shop.ended(await app.shop.emit(integration, "B"))
    app.shop.host.requests.clear()
    app.shop.host.default = only_new
    changed = await app.change("A", connector, AuthValue="new-value")
    assert (changed["Id"], changed["Authenticated"], changed["NeedsAttention"]) == (connector, True, None)
    for event_id in (first, *later):
        assert (await app.shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert [one.json["payload"]["n"] for one in app.shop.host.requests] == [1, 2, 3]
    await app.shop.assert_well()


async def test_c35_the_marketplace_is_told_once(app: HostApplication, second_host: ProductHost) -> None:
    integration = await app.shop.integration(schedule_s=())
    await app.shop.definitions.link(PRODUCT, integration.id, 3)
    shop = {"id": 27, "name": "Acme", "productIds": [PRODUCT], "notificationUrl": second_host.url("/callbacks")}
    secret = (await app.json("POST", "/v1/marketplaces", shop))["signingSecret"]
    connector = await app.connects("A", AuthValue="old-value")
    app.shop.host.default = Reply(401, b"")
    await app.shop.emit(integration, "A")
    (callback,) = await second_host.wait_for(1)
    told = callback.json
    assert (told["Status"], told["AccountId"], told["ConnectorId"]) == ("needs_attention", "A", connector)
    Webhook(secret).verify(callback.body, {name.lower(): value for name, value in callback.headers.items()})
    await app.change("A", connector, AuthValue="other-value")
    await second_host.wait_for(2)
    assert len({one.headers["webhook-id"] for one in second_host.requests}) == 2


async def test_a_value_that_was_replaced_meanwhile_is_not_held_against_its_successor(app: HostApplication) -> None:
    integration = await app.shop.integration(schedule_s=(0.05,))
    await app.sells(integration)
    connector = await app.connects("A", AuthValue="old-value")
    gate = asyncio.Event()

    async def renew() -> None:
        await app.shop.host.wait_for(1)
        await app.change("A", connector, AuthValue="new-value")
        gate.set()

    app.shop.host.default = Reply(401, b"", delay_s=1.0)
    renewing = asyncio.create_task(renew())
    event_id = await app.shop.emit(integration, "A")
    await gate.wait()
    app.shop.host.default = Reply()
    await renewing
    await app.shop.until(event_id, lambda stored: stored.state.attempts > 0)
    assert await needs_attention(app) is None
