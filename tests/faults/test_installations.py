"""An API killed at any write of an install, a Redis that restarts in the middle: one ORDER, one CANCEL, no orphan."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, encode_basic_auth

from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.model.installation import InstallStep
from dispatcher.model.integration import Integration
from dispatcher.model.marketplace import Marketplace
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.installations.recount import recount_installed
from dispatcher.store.keys import installations as keys
from tests.faults.deployment import ADMIN, ADMIN_SECRET, FULL, Deployment
from tests.faults.processes import Watched
from tests.faults.proxy import Proxy, marker
from tests.hosts import Received, Reply
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ALL = "/v1/integrations"
MARKETPLACE = 27
WRITES = ("documents/swap", "queue/accept", "installations/outbox_done", "queue/lock", "queue/conclude")
MARKERS = (b"idem:", *map(marker, WRITES))
STEPS = tuple(
    InstallStep(name, installer_function=f"verify{name}", uninstaller_function=f"delete{name}") for name in ("A", "B")
)


class KillingProxy(Proxy):
    """Stops at the ``fatal``-th write: that request is lost, or done without a reply. ``reached`` says that it was."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.writes, self.fatal, self.does_it = 0, 0, False
        self.reached = asyncio.Event()

    def arm(self, fatal: int, *, does_it: bool) -> None:
        self.writes, self.fatal, self.does_it = 0, fatal, does_it
        self.reached = asyncio.Event()

    async def _requests(self, source: asyncio.StreamReader, server: Any, losing: asyncio.Event) -> None:
        while data := await source.read(65_536):
            if any(marker in data for marker in MARKERS):
                self.writes += 1
                if self.writes == self.fatal:
                    losing.set()
                    if self.does_it:
                        await self._pass_on(data, server)
                    self.reached.set()
                    await asyncio.sleep(3600)
            await self._pass_on(data, server)


@dataclass
class Story:
    """A customer's whole way, by a client that repeats whatever had no answer to an API that is started again."""

    deployment: Deployment
    proxy: KillingProxy
    session: ClientSession
    integration: Integration
    program: Watched | None = None
    address: str = ""
    token: str = ""
    kills: int = 0
    ids: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)

    async def start(self) -> None:
        self.program, self.address = await self.deployment.api(self.proxy.url)
        headers = {"Authorization": encode_basic_auth(ADMIN, ADMIN_SECRET)}
        form = {"grant_type": "client_credentials"}
        async with self.session.post(f"{self.address}/oauth2/token", data=form, headers=headers) as answer:
            self.token = (await answer.json())["access_token"]

    async def once(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        async with self.session.request(method, f"{self.address}{path}", json=body, headers=sent) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The answer, once there is one that says that it was done or refused."""
        while True:
            asking = asyncio.create_task(self.once(method, path, body, headers))
            dying = asyncio.create_task(self.proxy.reached.wait())
            await asyncio.wait([asking, dying], return_when=asyncio.FIRST_COMPLETED)
            dying.cancel()
            if self.proxy.reached.is_set() and not asking.done():
                asking.cancel()
                await self.kill()
                continue
            try:
                status, answer = await asking
            except (ClientConnectionError, TimeoutError):
                await asyncio.sleep(0.1)
                continue
            if status in (503, 504):
                await asyncio.sleep(0.1)
                continue
            return status, answer

    async def kill(self) -> None:
        assert self.program is not None
        self.program.kill()
        self.kills += 1
        self.proxy.arm(0, does_it=False)
        await self.start()

    async def customer(self, number: int) -> str:
        """The account of somebody who clicks Connect, however often that has to be repeated."""
        asked = {
            "MarketplaceId": MARKETPLACE,
            "Username": f"user-{number}@example.com",
            "Password": "password",
            "AccountName": f"Customer {number}",
            "PartnerConnector": {"Name": self.integration.name, "AuthValue": "key"},
        }
        status, link = await self.ask("POST", "/v1.0/users/marketplace", asked)
        assert status == 200, link
        self.accounts.append(link["AccountId"])
        return str(link["AccountId"])

    async def run(self, number: int) -> None:
        account = await self.customer(number)
        body = {"name": "n", "_connectorId": self.integration.connector_id, "_accountId": account, "version": "1"}
        status, made = await self.ask("POST", ALL, body, **{"Idempotency-Key": f"k-{number}"})
        assert status == 201, made
        path = f"{ALL}/{made['_id']}"
        self.ids.append(made["_id"])
        for step in STEPS:
            status, answer = await self.ask("PUT", f"{path}/installer/{step.installer_function}")
            assert status == 200, answer
        found = await until(lambda: self.installed(path))
        assert found["accountIdentifier"] == f"host-{made['_id']}"
        update = f"/v1/connectors/{self.integration.connector_id}/update"
        assert (await self.ask("PUT", update, {"_integrationIds": [made["_id"]]}))[0] == 200
        ended = {"name": "n", "version": "2", "updateInProgress": False, "settings": {"n": number}}
        assert (await self.ask("PUT", path, ended))[0] == 200
        status, answer = await self.ask("PUT", path, {"name": "n", "mode": "uninstall"})
        assert status in (200, 404), answer
        await until(lambda: self.gone(path))

    async def installed(self, path: str) -> Any:
        status, body = await self.ask("GET", path)
        return body if status == 200 and body["standing"] == "INSTALLED" else None

    async def gone(self, path: str) -> bool:
        return (await self.ask("GET", path))[0] == 404

    async def assert_told_once(self) -> None:
        """Each installation ordered and cancelled once; nothing is left of any."""
        await until(lambda: self.sent_to("cancelUrl", "SUBSCRIPTION_CANCEL") == len(self.ids), 20)
        for name, kind in (("createUrl", "SUBSCRIPTION_ORDER"), ("cancelUrl", "SUBSCRIPTION_CANCEL")):
            told = Counter(one.json["subscriptionId"] for one in self.received(name) if one.json["type"] == kind)
            assert told == dict.fromkeys(self.ids, 1), name
        await until(lambda: is_empty(self.deployment, keys.OUTBOX))
        for key in (keys.INSTALLATIONS, keys.PENDING, keys.UPDATES):
            assert await self.deployment.redis.zcard(key) == 0, key
        for account in self.accounts:
            assert await self.deployment.queue.holders(self.integration.id, account) == []
        await self.assert_customers_made_once()
        await self.deployment.assert_well()

    async def assert_customers_made_once(self) -> None:
        """Each with its account, user and connector, and nothing beside them."""
        assert len(set(self.accounts)) == len(self.accounts)
        made = await self.deployment.redis.zrange(keys.accounts_of(MARKETPLACE), 0, -1)
        assert sorted(one.decode() for one in made) == sorted(self.accounts)
        recounted = await recount_installed(self.deployment.redis)
        assert recounted.well, recounted.broken
        each = {kind: recounted.counts[kind] for kind in ("accounts", "users", "connectors")}
        assert each == dict.fromkeys(each, len(self.accounts))

    def received(self, name: str) -> list[Received]:
        return self.deployment.host.to(f"/{name}")

    def sent_to(self, name: str, kind: str) -> int:
        return sum(one.json["type"] == kind for one in self.received(name))


async def is_empty(deployment: Deployment, index: str) -> bool:
    """Workers bring within seconds what a lost reply left in the outbox."""
    return not await deployment.redis.zcard(index)


def answer(request: Received) -> Reply:
    body = request.json
    if body["type"] == "INSTALL_STEP":
        done = {"installerFunction": body["payload"]["function"], "completed": True}
        return Reply.of(200, {"success": True, "stepsToUpdate": [done]})
    return Reply.of(200, {"success": True, "accountIdentifier": f"host-{body['subscriptionId']}"})


@asynccontextmanager
async def story_of(deployment: Deployment) -> AsyncIterator[Story]:
    deployment.host.default = answer
    urls = {name: deployment.host.url(f"/{name}") for name in ("createUrl", "upgradeUrl", "cancelUrl")}
    integration = await deployment.integration(urls)
    await deployment.definitions.edit(
        integration.id, lambda one: replace(one, working=replace(one.working, install_template=STEPS))
    )
    published = await publish(deployment.definitions, integration.id, "test", 3)
    await MarketplaceStore(deployment.redis).create(Marketplace(MARKETPLACE, "Acme", 1, 1))
    await deployment.worker()
    proxy = KillingProxy("127.0.0.1", deployment.server.port)
    async with proxy, ClientSession(timeout=ClientTimeout(total=45)) as session:
        story = Story(deployment, proxy, session, published)
        await story.start()
        yield story


async def test_an_api_killed_at_any_write_of_an_install_orders_and_cancels_once(deployment: Deployment) -> None:
    async with story_of(deployment) as story:
        story.proxy.arm(0, does_it=False)
        await story.run(0)
        writes = story.proxy.writes
        assert writes >= 10
        number = 0
        for fatal in range(1, writes + 1, 1 if FULL else 5):
            for does_it in (False, True):
                number += 1
                story.proxy.arm(fatal, does_it=does_it)
                await story.run(number)
        assert story.kills >= number * 2 // 3, "most stories ended before their write"
        await story.assert_told_once()


async def test_a_redis_that_restarts_in_the_middle_of_installs_loses_none(deployment: Deployment) -> None:
    async with story_of(deployment) as story:
        running = [asyncio.create_task(story.run(number)) for number in range(8)]
        for _ in range(3):
            await asyncio.sleep(0.3)
            deployment.server.kill()
            deployment.server.start()
        await asyncio.gather(*running)
        await until(lambda: story.sent_to("cancelUrl", "SUBSCRIPTION_CANCEL") >= 8, 20)
        told = Counter(
            one.headers["webhook-id"] for one in story.received("createUrl") if one.json["type"] == "SUBSCRIPTION_ORDER"
        )
        assert len(told) == 8, "each was ordered under one id"
        await until(lambda: is_empty(deployment, keys.OUTBOX))
        assert await deployment.redis.zcard(keys.INSTALLATIONS) == 0
        await deployment.assert_well()
