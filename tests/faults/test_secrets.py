"""Secret keys that are replaced under a running system: nothing is lost, and who lacks a key says what to do."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import ClientSession, ClientTimeout
from standardwebhooks import Webhook

from dispatcher.model.queue import Reason
from dispatcher.store.secrets.sealing import new_key
from tests.faults.client import Client
from tests.faults.deployment import Deployment

CREATE = """mutation($input: CreateProductIntegrationInput!) {
  createProductIntegration(input: $input) { productIntegration { id } signingSecret userErrors { message } }
}"""
PUBLISH = "mutation($id: ID!) { publishProductIntegration(input: {integrationId: $id}) { userErrors { code } } }"
LINK = """mutation($id: ID!) {
  linkProductIntegration(input: {productId: "P", integrationId: $id}) { userErrors { code } }
}"""


@asynccontextmanager
async def client_with(deployment: Deployment, keys: str, **changed: str) -> AsyncIterator[Client]:
    """Of an API with those keys."""
    program, address = await deployment.api(SECRET_KEYS=keys, **changed)
    async with ClientSession(timeout=ClientTimeout(total=15)) as session:
        client = Client(session, program, address)
        await client.log_in()
        yield client


async def graphql(client: Client, query: str, **variables: Any) -> Any:
    status, _, body = await client.post("/graphql", {"query": query, "variables": variables})
    assert status == 200, body
    assert "errors" not in body, body
    (value,) = body["data"].values()
    assert not value.get("userErrors"), value
    return value


async def published(deployment: Deployment, client: Client) -> tuple[str, str]:
    """An integration with credentials that the product P is linked to: its id and its signing secret."""
    wanted = {
        "upgradeUrl": deployment.host.url(),
        "headers": [{"name": "X-Key", "value": "header-value", "secret": True}],
        "outboundCredentials": {
            "type": "OAUTH2",
            "clientId": "123456",
            "clientSecret": "S3cre1!",
            "tokenUri": deployment.host.token_url,
            "grantType": "CLIENT_CREDENTIALS",
        },
    }
    made = await graphql(client, CREATE, input=wanted)
    integration_id = made["productIntegration"]["id"]
    await graphql(client, PUBLISH, id=integration_id)
    await graphql(client, LINK, id=integration_id)
    return integration_id, made["signingSecret"]


async def told_by(deployment: Deployment, keys: str, *arguments: str, status: int = 0) -> Any:
    """The JSON that a command prints."""
    program = deployment.start("", {"SECRET_KEYS": keys}, *arguments, "--json", under=(), code="")
    assert await program.ended() == status, program.said()
    return orjson.loads(program.said())


async def delivered(deployment: Deployment, client: Client, key: str, secret: str) -> None:
    """One more event arrives: signed, with a token that the host gave, and with the secret header."""
    count = len(deployment.host.requests)
    event_id = await client.emitted("A", key)
    request = (await deployment.host.wait_for(count + 1, 20))[count]
    assert request.headers["webhook-id"] == event_id
    Webhook(secret).verify(request.body.decode(), dict(request.headers))
    assert request.headers["Authorization"].removeprefix("Bearer ") in deployment.host.tokens.valid
    assert request.headers["X-Key"] == "header-value"
    await deployment.all_succeed([event_id])


async def stopped(deployment: Deployment) -> None:
    for program in deployment.programs:
        program.signal(signal.SIGTERM)
    for program in deployment.programs:
        await program.ended()
    deployment.programs.clear()


async def test_old_key_can_be_dropped_once_everything_is_sealed_again(deployment: Deployment) -> None:
    old, new = new_key(), new_key()
    async with client_with(deployment, old) as client:
        await deployment.worker(SECRET_KEYS=old)
        _, secret = await published(deployment, client)
        await delivered(deployment, client, "1", secret)
    await stopped(deployment)
    both = f"{new},{old}"
    counted = await told_by(deployment, both, "secrets", "reseal", "--dry-run")
    assert counted["stale"] == counted["values"] == 6  # two of each version, a signing secret, the access-token key
    async with client_with(deployment, both) as client:
        done = await told_by(deployment, both, "secrets", "reseal")
        assert (done["resealed"], done["stale"], done["problems"]) == (6, 0, [])
        waiting = await client.emitted("A", "2")
    await stopped(deployment)
    async with client_with(deployment, new) as client:
        await deployment.worker(SECRET_KEYS=new)
        await deployment.all_succeed([waiting])
        await delivered(deployment, client, "3", secret)
    found = {check["name"]: check for check in (await told_by(deployment, new, "doctor"))["checks"]}
    assert found["sealed values"]["level"] == "ok"
    assert found["sealed values"]["text"].startswith("6, ")


async def test_background_seals_everything_again_without_any_command(deployment: Deployment) -> None:
    old, new = new_key(), new_key()
    async with client_with(deployment, old) as client:
        await published(deployment, client)
    await stopped(deployment)
    worker = await deployment.worker(SECRET_KEYS=f"{new},{old}")
    await worker.heard(r"(sealed again)")
    counted = await told_by(deployment, new, "secrets", "reseal", "--dry-run")
    assert counted["stale"] == 0


async def nobody_takes(deployment: Deployment, event_id: str) -> None:
    """The worker lacks the newest key, so it leaves the event to one that has it."""
    found = await deployment.queue.explain(event_id)
    assert found is not None
    assert found.reason is Reason.NO_WORKER


async def test_process_without_the_key_says_whose_secret_and_which_command_helps(deployment: Deployment) -> None:
    old, new = new_key(), new_key()
    async with client_with(deployment, old) as client:
        integration_id, secret = await published(deployment, client)
        blind = await deployment.worker(SECRET_KEYS=new)
        event_id = await client.emitted("A", "1")
        said = await blind.heard(rf"(.*secret cannot be sealed again.*{integration_id}.*)")
        assert "dispatcher secrets reseal" in said
        await nobody_takes(deployment, event_id)
        found = await told_by(deployment, new, "secrets", "reseal", status=1)
        assert integration_id in [one["in"] for one in found["problems"]]
        blind.signal(signal.SIGTERM)
        await blind.ended()
        await deployment.worker(SECRET_KEYS=f"{new},{old}")
        request = (await deployment.host.wait_for(1, 20))[0]
        Webhook(secret).verify(request.body.decode(), dict(request.headers))
    program = deployment.start("", {"SECRET_KEYS": new}, "serve", "--port", "0", under=(), code="")
    assert await program.ended() == 1
    assert "the key that signs access tokens" in program.said()
