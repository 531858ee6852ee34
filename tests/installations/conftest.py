"""An API and a worker over one store, and a product host whose integration is installed into accounts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import ClientResponse
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.services import SERVICES, Services
from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.installation import Installation, InstallStep
from dispatcher.model.integration import Integration, RetryPolicy, Revision, SigningSecret
from dispatcher.settings import Settings
from dispatcher.store.queue.owning.partition import PartitionStore
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, KEY, basic
from tests.hosts import ProductHost, Received, Reply
from tests.serving import Http, asking
from tests.signing import key_pair
from tests.waiting import until
from worker.main import run

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALL = "/v1/integrations"
STEPS = (
    InstallStep("Connection", installer_function="verifyConnection", uninstaller_function="deleteConnection"),
    InstallStep("Bundle", installer_function="verifyBundle", uninstaller_function="deleteBundle"),
)


@dataclass
class Scene:
    """``headers``: of the administrator, who owns every integration."""

    redis: Redis
    redis_url: str
    settings: Settings
    host: ProductHost
    http: Http
    services: Services
    headers: dict[str, str] = field(default_factory=dict)
    _workers: list[tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)

    async def bearer(self, client_id: str = ADMIN_ID, secret: str = ADMIN_SECRET) -> dict[str, str]:
        form = {"grant_type": "client_credentials"}
        answer = await self.http.post("/oauth2/token", data=form, headers=basic(client_id, secret))
        return {"Authorization": f"Bearer {(await answer.json())['access_token']}"}

    async def account(self, account_id: str = "A-1") -> dict[str, str]:
        scopes = frozenset({"installations:read", "installations:write", "events:read"})
        client, secret = await self.services.clients.create(scopes, "account", account_id, 0)
        return await self.bearer(client.client_id, secret)

    async def ask(self, method: str, path: str, **kwargs: Any) -> ClientResponse:
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **kwargs)

    async def json(self, method: str, path: str, expected: int, **kwargs: Any) -> Any:
        answer = await self.ask(method, path, **kwargs)
        body = await answer.json() if answer.status != 204 else None
        assert answer.status == expected, body
        return body

    async def integration(self, *steps: InstallStep, products: tuple[str, ...] = ("P-1",), **more: Any) -> Integration:
        """Published and linked, with every URL on the host."""
        identity = new_uuid()
        names = ("createUrl", "upgradeUrl", "cancelUrl", "notifyUrl", "assignUrl")
        urls = more.pop("urls", {name: self.host.url(f"/{name}") for name in names})
        working = Revision(urls=urls, install_template=steps, retry=RetryPolicy((0.05, 0.05)), **more)
        sealed = self.services.sealer.seal(SECRET, sealed_fields.signing_secret(identity))
        secrets = (SigningSecret(sealed, 1),)
        blank = Integration(identity, 0, new_hex24(), "Test", 1, 1, working=working, signing_secrets=secrets)
        made = await self.services.definitions.create(blank)
        published = await self.services.definitions.publish(made, made.modified_ms, replace(working, number=1))
        for product in products:
            await self.services.definitions.link(product, published.id, 1)
        return published

    async def install(self, integration: Integration, headers: dict[str, str], **fields: Any) -> Any:
        body = {"name": "Installed", "_connectorId": integration.connector_id} | fields
        return await self.json("POST", ALL, 201, json=body, headers=headers)

    async def call(self, one: Any, function: str, headers: dict[str, str], expected: int = 200) -> Any:
        return await self.json("PUT", f"{ALL}/{one['_id']}/installer/{function}", expected, headers=headers)

    async def get(self, one: Any) -> Any:
        return await self.json("GET", f"{ALL}/{one['_id']}", 200)

    async def installed(self, one: Any, standing: str = "INSTALLED") -> Any:
        """The installation once it stands so."""

        async def found() -> Any:
            body = await self.get(one)
            return body if body["standing"] == standing else None

        return await until(found)

    async def gone(self, one: Any) -> None:
        async def missing() -> bool:
            return (await self.ask("GET", f"{ALL}/{one['_id']}")).status == 404

        await until(missing)

    async def events(self, account_id: str = "A-1") -> list[Any]:
        found = await self.json("GET", f"/v1/events?accountId={account_id}", 200)
        return list(reversed(found["data"]))

    async def types(self, account_id: str = "A-1") -> list[str]:
        return [event["type"] for event in await self.events(account_id)]

    async def ended(self, count: int, account_id: str = "A-1") -> list[Any]:
        """The account's events, once there are so many and all have ended."""

        async def all_ended() -> list[Any] | None:
            found = await self.events(account_id)
            return found if len(found) == count and all(event["consumed"] for event in found) else None

        return await until(all_ended)

    async def stored(self, one: Any) -> Installation:
        found = await self.services.installer.find(one["_id"])
        assert found is not None
        return found

    def received(self, path: str) -> list[Received]:
        return self.host.to(f"/{path}")

    async def work(self) -> None:
        stop = asyncio.Event()
        self._workers.append((stop, asyncio.create_task(run(self.settings, self.redis_url, stop))))

    async def stop_work(self) -> None:
        for stop, _ in self._workers:
            stop.set()
        await asyncio.gather(*(task for _, task in self._workers))
        self._workers.clear()

    async def assert_well(self) -> None:
        """No event is lost, and no effect is left in the outbox."""
        store = PartitionStore(
            self.redis, partitions=self.settings.partitions, retention_ms=3_600_000, lease_ms=2000, lane_cap=32
        )
        report = await store.recount()
        assert report.well, report
        assert await self.redis.zcard("{def}:outbox") == 0


def step_reply(answer: Callable[[Any], Reply], other: Reply | None = None) -> Callable[[Received], Reply]:
    """Answers calls about steps so, and anything else with ``other``, or success and an account identifier."""

    def reply(request: Received) -> Reply:
        if request.json.get("type") in ("INSTALL_STEP", "UNINSTALL_STEP"):
            return answer(request.json["payload"])
        if other is not None:
            return other
        return Reply.of(200, {"success": True, "accountIdentifier": f"host-{request.json.get('subscriptionId')}"})

    return reply


def completes(payload: Any) -> Reply:
    """As the documents have it."""
    return Reply.of(
        200, {"success": True, "stepsToUpdate": [{"installerFunction": payload["function"], "completed": True}]}
    )


def scene_settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "admin_client_id": ADMIN_ID,
        "admin_client_secret": ADMIN_SECRET,
        "secret_keys": (KEY,),
        "public_base_url": "https://dispatcher.example",
        "allow_networks": ("127.0.0.0/8",),
        "partitions": 4,
        "lease": 2.0,
        "drain_timeout": 5.0,
        "request_timeout": 2.0,
    }
    return Settings.model_validate(values | changes)


@pytest.fixture(autouse=True)
def _patient(patient: None) -> None:
    """In each of these tests."""


@pytest.fixture(scope="session")
def signing_key() -> str:
    """Sealed with ``KEY``."""
    return Sealer([KEY]).seal(key_pair(), sealed_fields.ACCESS_TOKEN_KEY)


@pytest.fixture
async def scene(redis: Redis, redis_url: str, signing_key: str, product_host: ProductHost) -> AsyncIterator[Scene]:
    """With a worker at work. The host completes every step that it is asked about."""
    product_host.default = step_reply(completes)
    settings = scene_settings()
    await SigningKeyStore(redis).offer(signing_key)
    app = await build_app(settings, redis)
    async with asking(app) as http:
        made = Scene(redis, redis_url, settings, product_host, http, app[SERVICES])
        made.headers = await made.bearer()
        await made.work()
        yield made
        with contextlib.suppress(asyncio.CancelledError):
            await made.stop_work()
