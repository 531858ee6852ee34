"""All four documents as one product, over HTTP: from the publisher's first mutation to the delivered CANCEL."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis
from standardwebhooks import Webhook

from dispatcher.api.app import build_app
from dispatcher.api.services import SERVICES
from dispatcher.marketplace.routes import mount_marketplace
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET
from tests.api.graphql.test_documented_mutations import (
    CREATE,
    INBOUND_CLIENT,
    LINK,
    PING,
    PRINTED_ID,
    PRODUCT_ID,
    PUBLISH,
    SIGN_ON,
)
from tests.hosts import ProductHost
from tests.installations.conftest import Scene, completes, scene_settings, step_reply
from tests.ports import free_port
from tests.waiting import until

HERE = """mutation Here($input: UpdateProductIntegrationInput!) {
  updateProductIntegration(input: $input) { userErrors { message } } }"""
ROTATE = """mutation Rotate($id: ID!) {
  rotateProductIntegrationSigningSecret(input: {id: $id}) { signingSecret userErrors { message } } }"""
FIELDS = ("createUrl", "upgradeUrl", "cancelUrl", "notifyUrl", "assignUrl", "unassignUrl")
STEPS = [
    {"name": name, "installerFunction": f"verify{name}", "uninstallerFunction": f"delete{name}"}
    for name in ("Connection", "Bundle")
]
STORY = ["INSTALL_STEP", "INSTALL_STEP", "SUBSCRIPTION_ORDER", "SUBSCRIPTION_CHANGE", "USER_ASSIGNMENT"]
END = ["SUBSCRIPTION_NOTICE", "UNINSTALL_STEP", "UNINSTALL_STEP", "SUBSCRIPTION_CANCEL"]


@pytest.fixture
async def scene(redis: Redis, redis_url: str, signing_key: str, product_host: ProductHost) -> AsyncIterator[Scene]:
    """A fresh server: nobody has defined anything."""
    product_host.default = step_reply(completes)
    product_host.requires_token = True
    port = free_port()
    settings = scene_settings(public_base_url=f"http://127.0.0.1:{port}", port=port)
    await SigningKeyStore(redis).offer(signing_key)
    app = await build_app(settings, redis)
    mount_marketplace(app)
    async with TestClient(TestServer(app, port=port)) as http:
        made = Scene(redis, redis_url, settings, product_host, http, app[SERVICES])
        made.headers = await made.bearer()
        await made.work()
        yield made
        with contextlib.suppress(asyncio.CancelledError):
            await made.stop_work()


async def mutate(scene: Scene, text: str, **variables: Any) -> Any:
    body = await scene.json("POST", "/graphql", 200, json={"query": text, "variables": variables})
    assert "errors" not in body, body
    [(_, payload)] = body["data"].items()
    assert not payload.get("userErrors"), payload
    return payload


async def published(scene: Scene) -> str:
    """The six mutations as they are printed, to a host that is there; its signing secret."""
    identity = (await mutate(scene, CREATE))["productIntegration"]["id"]
    await mutate(scene, SIGN_ON)
    await mutate(scene, INBOUND_CLIENT.replace(PRINTED_ID, identity))
    credentials = {
        "type": "OAUTH2",
        "clientId": "123456",
        "clientSecret": "S3cre1!",
        "tokenUri": scene.host.token_url,
        "grantType": "client_credentials",
    }
    urls = {name: scene.host.url(f"/{name}") for name in FIELDS} | {"eventStatusUrl": None}
    given = {"id": identity, **urls, "outboundCredentials": credentials, "installTemplate": STEPS}
    await mutate(scene, HERE, input=given)
    secret = str((await mutate(scene, ROTATE, id=identity))["signingSecret"])
    await mutate(scene, PING.replace(PRINTED_ID, identity))
    await mutate(scene, PUBLISH.replace(PRINTED_ID, identity))
    await mutate(scene, LINK.replace(PRINTED_ID, identity))
    return secret


async def installed(scene: Scene) -> tuple[str, Any]:
    """The account of a new customer, and what it has ordered through the page that the one-time link opens."""
    shown = {"id": 27, "name": "Acme", "productIds": [PRODUCT_ID]}
    await scene.json("POST", "/v1/marketplaces", 201, json=shown)
    asked = {
        "MarketplaceId": 27,
        "Username": "user@example.com",
        "Password": "password",
        "AccountName": "Customer X",
    }
    link = await scene.json("POST", "/v1.0/users/marketplace", 200, json=asked)
    origin = scene.settings.base_url
    opened = await scene.http.get(link["MarketplaceUrl"].removeprefix(origin))
    assert (opened.status, opened.url.path) == (200, "/launch/marketplace/27")
    product = f"/launch/marketplace/27/products/{PRODUCT_ID}"
    page = await (await scene.http.get(product)).text()
    found = re.search(r'name="form" value="([^"]+)"', page)
    assert found
    ordered = await scene.http.post(product, data={"form": found[1]}, headers={"Origin": origin})
    assert ordered.status == 200
    [one] = await scene.json("GET", "/v1/integrations", 200)
    return link["AccountId"], one


async def test_x1_the_whole_story(scene: Scene) -> None:
    secret = await published(scene)
    account_id, one = await installed(scene)
    form = {"grant_type": "client_credentials", "client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}
    answer = await scene.http.post("/oauth/token", data=form | {"scope": f"account:{account_id}"})
    account = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}
    for step in STEPS:
        await scene.call(one, step["installerFunction"], account)

    async def settled() -> Any:
        now = await scene.get(one)
        return now if now["mode"] == "settings" and now.get("accountIdentifier") else None

    now = await until(settled)
    body = {"name": now["name"], "_connectorId": now["_connectorId"], "settings": {"prefix": "B-"}}
    await scene.json("PUT", f"/v1/integrations/{one['_id']}", 200, json=body, headers=account)
    about = {"productId": PRODUCT_ID, "accountId": account_id, "subscriptionId": one["_id"]}
    payloads: dict[str, Any] = {
        "assign": {"user": {"email": "a@example.com"}},
        "notify": {"notice": {"type": "CLOSED"}},
    }
    for kind, payload in payloads.items():
        await scene.json("POST", "/v1/events", 202, json={"type": kind, **about, "payload": payload})
    await scene.ended(len(STORY) + 1, account_id)
    leaving = body | {"mode": "uninstall"}
    await scene.json("PUT", f"/v1/integrations/{one['_id']}", 200, json=leaving, headers=account)
    await scene.gone(one)
    events = await scene.ended(len(STORY + END), account_id)
    assert [event["type"] for event in events] == STORY + END
    assert {event["status"] for event in events} == {"SUCCEEDED"}
    judge(scene, secret)
    await scene.assert_well()


def judge(scene: Scene, secret: str) -> None:
    """Everything that the host got was signed and authorised; after its order the account has the name that it gave."""
    told = [one for one in scene.host.requests if one.json.get("flag") != "STATELESS"]
    for one in told:
        Webhook(secret).verify(one.body, dict(one.headers))
        assert one.headers["Authorization"].startswith("Bearer token-")
    kinds = [one.json["type"] for one in told]
    assert (kinds.count("SUBSCRIPTION_ORDER"), kinds.count("SUBSCRIPTION_CANCEL")) == (1, 1)
    [order] = [one.json for one in told if one.json["type"] == "SUBSCRIPTION_ORDER"]
    assert order["payload"]["company"]["name"] == "Customer X"
    for kind in ("SUBSCRIPTION_CHANGE", "SUBSCRIPTION_CANCEL"):
        [one] = [other for other in told if other.json["type"] == kind]
        assert one.json["payload"]["account"]["accountIdentifier"] == f"host-{order['subscriptionId']}"
