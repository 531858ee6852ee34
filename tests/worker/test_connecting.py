"""Credentials that a user types in: the product host is asked before anything is saved."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.api.installing import CONNECTING, INSTALLING
from dispatcher.api.services import SERVICES, Services
from dispatcher.errors import NotFound, Refused, Unprocessable
from dispatcher.flow.connectors.connecting import Connecting, Credentials
from dispatcher.flow.installations.customers import Customer
from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.model.connector import ConnectorAuth
from dispatcher.model.installation import Installation, InstallStep, Standing
from dispatcher.model.integration import Integration
from dispatcher.model.status import Status
from tests.hosts import Received, Reply
from tests.waiting import until
from tests.worker.connector_parts import HostApplication, app

__all__ = ["app"]

NAME = "Ledger account"
KEY = Credentials(ConnectorAuth.API_KEY, "typed-key-4711")


class Page:
    """Tools of the connection form of one installation."""

    def __init__(self, app: HostApplication, installation: Installation, customer: Customer) -> None:
        self.app = app
        self.installation = installation
        self.customer = customer

    @property
    def _of(self) -> Any:
        assert self.app.http.app is not None
        return self.app.http.app

    @property
    def connecting(self) -> Connecting:
        found: Connecting = self._of[CONNECTING]
        return found

    @property
    def services(self) -> Services:
        found: Services = self._of[SERVICES]
        return found

    async def save(self, credentials: Credentials = KEY, name: str = NAME) -> None:
        await self.connecting.save(self.installation, name, credentials, self.customer)

    async def refused(self, credentials: Credentials = KEY) -> str:
        """The text beside the field, of what saves nothing."""
        before = await everything(self.app.shop.redis)
        with pytest.raises(Unprocessable) as refusal:
            await self.save(credentials)
        assert await everything(self.app.shop.redis) == before
        return str(refusal.value)

    async def steps(self) -> tuple[InstallStep, ...]:
        found = await self.services.installer.get(self.customer.caller, self.installation.id)
        return found.install


async def everything(redis: Redis) -> dict[bytes, bytes | None]:
    names = [one async for one in redis.scan_iter("{def}:con:*")] + [one async for one in redis.scan_iter("{def}:i:*")]
    return {name: await redis.get(name) for name in names}


@pytest.fixture
async def page(app: HostApplication) -> Page:
    integration = await app.shop.integration()
    steps = (InstallStep("Connect", connection=NAME), InstallStep("Verify", installer_function="verify"))

    def with_steps(current: Integration) -> Integration:
        return replace(current, working=replace(current.working, install_template=steps))

    await app.shop.definitions.edit(integration.id, with_steps)
    integration = await publish(app.shop.definitions, integration.id, "test", 4)
    await app.sells(integration)
    template = {"name": NAME, "authType": "ApiKey", "integrationId": integration.id}
    await app.json("POST", "/v1/connector-templates", template)
    await app.connects("A", Name="Something else")
    body = {"name": "Ledger", "_connectorId": integration.connector_id, "_accountId": "A"}
    made = await app.json("POST", "/v1/integrations", body)
    assert app.http.app is not None
    installing, services = app.http.app[INSTALLING], app.http.app[SERVICES]
    account = await installing.accounts.get("A")
    (user,) = await installing.accounts.users_of("A")
    customer = Customer(account, user, await services.marketplaces.get(27))
    return Page(app, await services.installer.get(customer.caller, made["_id"]), customer)


async def test_c34_credentials_are_tried_with_one_stateless_order_and_then_saved(page: Page) -> None:
    await page.save()
    (request,) = page.app.shop.host.requests
    assert (request.json["flag"], request.json["type"]) == ("STATELESS", "SUBSCRIPTION_ORDER")
    assert request.headers["X-Api-Key"] == "typed-key-4711"
    (mine,) = [one for one in await page.app.connectors("A") if one["Name"] == NAME]
    assert (mine["Authenticated"], mine["AuthValue"]) == (True, "typed-key-4711")
    first, second = await page.steps()
    assert (first.completed, first.connection_id) == (True, mine["ConnectionId"])
    assert not second.completed


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(401, b""), "refuses these credentials"),
        (Reply(403, b"typed-key-4711"), "refuses these credentials"),
        (Reply.of(200, {"success": False, "message": "unknown key typed-key-4711"}), "unknown key"),
        (Reply(500, b""), "does not answer"),
        (Reply(reset=True), "does not answer"),
    ],
)
async def test_c34_what_does_not_work_saves_nothing_and_says_why(page: Page, reply: Reply, words: str) -> None:
    page.app.shop.host.default = reply
    text = await page.refused()
    assert words in text
    assert "typed-key" not in text
    assert not (await page.steps())[0].completed


async def test_c34_another_field_is_saved_with_the_secret_that_is_there(page: Page) -> None:
    await page.save()
    await page.save(Credentials(ConnectorAuth.API_KEY, None, {"Region": "eu"}))
    (mine,) = [one for one in await page.app.connectors("A") if one["Name"] == NAME]
    assert mine["AuthValue"] == "typed-key-4711"
    assert [(one["Name"], one["Value"]) for one in mine["Properties"]] == [("Region", "eu")]
    assert [one.headers.get("X-Api-Key") for one in page.app.shop.host.requests] == ["typed-key-4711"] * 2


async def test_users_do_not_say_where_credentials_go(page: Page) -> None:

    with pytest.raises(Refused):
        await page.save(replace(KEY, properties={"Url": page.app.shop.host.base_url}))


async def test_only_connections_that_something_asks_for_can_be_made(page: Page) -> None:
    with pytest.raises(NotFound):
        await page.save(name="Anything")


def names(**accounts: str) -> Callable[[Received], Reply]:
    """A host that says whose each key is."""

    def answer(request: Received) -> Reply:
        named = accounts.get(request.headers.get("X-Api-Key", ""))
        return Reply.of(200, {"success": True, "accountIdentifier": named}) if named else Reply(401, b"")

    return answer


def key(secret: str) -> Credentials:
    return replace(KEY, secret=secret)


async def installed(page: Page) -> None:
    """Every step is done, and the host has taken the order."""
    await page.save(key("first"))
    await page.services.customers.check_step(page.installation, "verify", page.customer)

    async def is_installed() -> bool:
        page.installation = await page.services.installer.get(page.customer.caller, page.installation.id)
        return page.installation.standing is Standing.INSTALLED

    await until(is_installed)


async def test_c35_another_account_is_refused_and_the_old_one_kept(page: Page) -> None:
    page.app.shop.host.default = names(first="acct-1", other="acct-2")
    await installed(page)
    page.app.shop.host.default = names(renewed="acct-1", other="acct-2")
    integration = await page.app.shop.definitions.needed(str(page.installation.integration_id))
    held = [await page.app.shop.emit(integration, "A", revision=2, payload={"n": n}) for n in (1, 2)]
    await page.app.shop.status(held[0], Status.HELD)
    text = await page.refused(key("other"))
    assert "acct-2" in text
    assert "acct-1 is connected" in text
    await page.app.shop.status(held[0], Status.HELD)
    page.app.shop.host.requests.clear()
    await page.save(key("renewed"))
    for event_id in held:
        assert (await page.app.shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert [one.json["payload"]["n"] for one in page.app.shop.host.requests[1:]] == [1, 2]


async def test_a_host_that_makes_names_up_locks_nobody_out(page: Page) -> None:
    count = itertools.count()
    page.app.shop.host.default = lambda _: Reply.of(200, {"success": True, "accountIdentifier": f"new-{next(count)}"})
    await installed(page)
    await page.save(key("renewed"))
    assert await auth_value(page) == "renewed"


async def test_until_it_is_installed_another_account_may_be_connected(page: Page) -> None:
    page.app.shop.host.default = names(first="acct-1", other="acct-2")
    await page.save(key("first"))
    await page.save(key("other"))
    assert await auth_value(page) == "other"


async def test_a_host_application_may_connect_another_account(page: Page) -> None:
    page.app.shop.host.default = names(first="acct-1", other="acct-2", third="acct-3")
    await installed(page)
    connector = next(one for one in await page.app.connectors("A") if one["Name"] == NAME)
    await page.app.change("A", connector["Id"], AuthValue="other")
    await page.save(key("third"))
    await page.refused(key("first"))
    assert await auth_value(page) == "third"


async def auth_value(page: Page) -> Any:
    return next(one["AuthValue"] for one in await page.app.connectors("A") if one["Name"] == NAME)


async def test_a_new_value_ends_what_a_refused_one_began(page: Page) -> None:
    await page.save()

    def only_new(request: Received) -> Reply:
        return Reply() if request.headers.get("X-Api-Key") == "renewed" else Reply(401, b"")

    page.app.shop.host.default = only_new
    integration = await page.app.shop.definitions.needed(str(page.installation.integration_id))
    event_id = await page.app.shop.emit(integration, "A", revision=2)

    await page.app.shop.status(event_id, Status.HELD)
    await page.refused()
    await page.save(replace(KEY, secret="renewed"))
    assert (await page.app.shop.ended(event_id)).state.status is Status.SUCCEEDED
