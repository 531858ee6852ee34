"""The API on a real Redis and a real socket, with a published integration that a product is linked to."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import ClientResponse, encode_basic_auth
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.services import SERVICES, Services
from dispatcher.api.watch.verdict import judging
from dispatcher.cli.processes.sign_in import oidc_of
from dispatcher.console.routes import mount_console
from dispatcher.ids import new_hex24, new_uuid
from dispatcher.marketplace.routes import mount_marketplace
from dispatcher.model.integration import Integration, Revision
from dispatcher.portal.routes import mount_portal
from dispatcher.settings import Settings
from dispatcher.store.secrets.fields import ACCESS_TOKEN_KEY
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.serving import Http, listening_as_served
from tests.signing import key_pair

ADMIN_ID, ADMIN_SECRET = "admin", "admin-secret-for-tests"
KEY = base64.b64encode(bytes(32)).decode()
PRODUCT = "P-1"


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(client_id, secret)}


class SteppedClock:
    """Stands still until told to go on."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s

    def now_ms(self) -> int:
        return int(self.now_s * 1000)


@dataclass
class Api:
    """One running API and an administrator's token for it."""

    http: Http
    services: Services
    clock: SteppedClock
    redis: Redis
    headers: dict[str, str] = field(default_factory=dict)

    async def token(self, client_id: str = ADMIN_ID, secret: str = ADMIN_SECRET, scope: str | None = None) -> str:
        form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        answer = await self.http.post("/oauth2/token", data=form, headers=basic(client_id, secret))
        body = await answer.json()
        assert answer.status == 200, body
        return str(body["access_token"])

    async def bearer(self, *args: str, **kwargs: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {await self.token(*args, **kwargs)}"}

    async def bearer_of_new(self, *scopes: str, account_id: str | None = None) -> dict[str, str]:
        """Headers of a new client with just these scopes."""
        client, secret = await self.services.clients.create(frozenset(scopes), "test", account_id, 0)
        return await self.bearer(client.client_id, secret)

    async def ask(self, method: str, path: str, **kwargs: Any) -> ClientResponse:
        """A request with the administrator's token unless other headers bring their own."""
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **kwargs)

    async def json(self, method: str, path: str, expected: int, **kwargs: Any) -> Any:
        answer = await self.ask(method, path, **kwargs)
        body = await answer.json()
        assert answer.status == expected, body
        return body

    async def emit(self, expected: int = 202, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        body = {"type": "create", "productId": PRODUCT, "accountId": "A-1"} | fields
        given = {name: value for name, value in body.items() if value is not None}
        return await self.json("POST", "/v1/events", expected, json=given, headers=headers or {})

    async def refused(self, method: str, path: str, status: int, code: str, field: str | None = None, **kw: Any) -> Any:
        """Assert an error of this status whose first problem has this code and field; returns the body."""
        answer = await self.ask(method, path, **kw)
        body = await answer.json()
        assert answer.status == status, body
        assert body["requestId"] == answer.headers["X-Request-Id"]
        first = body["errors"][0]
        assert (first["code"], first["field"]) == (code, field), body
        assert first["message"]
        return body


async def publish(services: Services, revision: Revision, *, products: tuple[str, ...] = ()) -> Integration:
    """A published integration with ``revision``, linked to ``products``."""
    made = await services.definitions.create(
        Integration(new_uuid(), 0, new_hex24(), "test", created_ms=1, modified_ms=1, working=revision)
    )
    made = await services.definitions.publish(made, made.modified_ms, replace(revision, number=1))
    for product in products:
        await services.definitions.link(product, made.id, 1)
    found = await services.definitions.integration(made.id)
    assert found is not None
    return found


def api_settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "admin_client_id": ADMIN_ID,
        "admin_client_secret": ADMIN_SECRET,
        "secret_keys": (KEY,),
        "public_base_url": "https://dispatcher.example",
        "partitions": 4,
    }
    return Settings(**(values | changes))


@pytest.fixture(autouse=True)
def _patient(patient: None) -> None:
    """In each of these tests."""


@pytest.fixture(scope="session")
def signing_key() -> str:
    """Sealed with ``KEY``."""
    return Sealer([KEY]).seal(key_pair(), ACCESS_TOKEN_KEY)


Start = Callable[..., Awaitable[Api]]


@pytest.fixture
async def start(redis: Redis, signing_key: str) -> AsyncIterator[Start]:
    """Starts APIs over the same store; all are stopped at the end."""
    running: list[Http] = []

    async def begin(**changes: Any) -> Api:
        clock = SteppedClock()
        await SigningKeyStore(redis).offer(signing_key)
        settings = api_settings(**changes)
        app = await build_app(settings, redis, clock=clock)
        app.cleanup_ctx.remove(judging)  # a test that is about the verdict asks for it
        mount_console(app, oidc_of(settings))
        mount_marketplace(app)
        mount_portal(app)
        http = await listening_as_served(app)
        running.append(http)
        api = Api(http, app[SERVICES], clock, redis)
        api.headers = await api.bearer()
        return api

    yield begin
    for http in running:
        await http.close()


@pytest.fixture
async def api(start: Start) -> Api:
    """An API whose product ``P-1`` is linked to a published integration."""
    api = await start()
    await publish(api.services, Revision(urls={"createUrl": "https://host.example/hook"}), products=(PRODUCT,))
    return api
