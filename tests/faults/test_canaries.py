"""Unique secrets of every kind, planted everywhere; then everything is driven, and all that was left behind searched.

Searched for in clear, in hexadecimal and in base64 at every alignment: logs at level debug, answers, metrics, every
key of Redis, and the append-only file, which holds whatever was ever written, jobs and short-lived keys included.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey
from redis.asyncio import Redis

from tests.authorization_server import AuthorizationServer
from tests.authorization_server import Client as TokenClient
from tests.faults.deployment import ADMIN, Deployment
from tests.hosts import Received, Reply

OPERATIONS_PATH = "/operations"
SHOWN_ONCE = "shown once, on purpose"


@dataclass
class Canaries:
    """By what kind of secret it is."""

    planted: dict[str, str] = field(default_factory=dict)

    def new(self, kind: str, prefix: str = "Canary") -> str:
        return self.note(kind, prefix + secrets.token_hex(12))

    def note(self, kind: str, text: str) -> str:
        assert len(text) >= 16, kind
        self.planted[kind] = text
        return text

    def found_in(self, where: str, text: bytes) -> list[str]:
        return [
            f"{kind} as {form} in {where}"
            for kind, secret in self.planted.items()
            for form, needle in forms(secret.encode())
            if needle in text
        ]


def forms(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield "clear", secret
    yield "hexadecimal", secret.hex().encode()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret)
        inner = whole[(before * 8 + 5) // 6 : len(whole) - 4]
        yield "base64", inner
        yield "base64", inner.replace(b"+", b"-").replace(b"/", b"_")


def test_a_secret_is_found_in_every_form() -> None:
    canaries = Canaries()
    secret = canaries.new("kind")
    pair = base64.b64encode(f"user:{secret}".encode())
    for text in (
        secret.encode(),
        secret.encode().hex().encode(),
        pair,
        base64.urlsafe_b64encode(b"xy" + pair)[:0] + pair,
    ):
        assert canaries.found_in("here", b"before " + text + b" after")
    assert not canaries.found_in("here", b"nothing")


class Operator:
    """Talks to the API and keeps every answer that shows no secret on purpose."""

    def __init__(self, session: ClientSession, address: str, answers: list[bytes]) -> None:
        self._session, self._address, self._answers = session, address, answers
        self.token = ""

    async def ask(self, method: str, path: str, *, shown: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        async with self._session.request(method, self._address + path, headers=headers, **more) as answer:
            text = await answer.read()
            if shown != SHOWN_ONCE:
                self._answers.append(text + repr(dict(answer.headers)).encode())
            return json.loads(text) if answer.content_type.endswith("json") and text else text

    async def log_in(self, client_id: str, secret: str) -> str:
        headers = {"Authorization": encode_basic_auth(client_id, secret)}
        form = {"grant_type": "client_credentials"}
        granted = await self.ask("POST", "/oauth2/token", data=form, headers=headers, shown=SHOWN_ONCE)
        return str(granted["access_token"])

    async def graphql(self, query: str, *, shown: str = "", **variables: Any) -> Any:
        body = await self.ask("POST", "/graphql", json={"query": query, "variables": variables}, shown=shown)
        return next(iter((body.get("data") or {"": None}).values()))


CREATE = """mutation($input: CreateProductIntegrationInput!) { createProductIntegration(input: $input) {
  productIntegration { id } signingSecret userErrors { message path } } }"""
PUBLISH = "mutation($id: ID!) { publishProductIntegration(input: {integrationId: $id}) { userErrors { message } } }"
LINK = """mutation($id: ID!, $product: ID!) {
  linkProductIntegration(input: {integrationId: $id, productId: $product}) { userErrors { message } } }"""
ROTATE = """mutation($id: ID!, $algorithm: SigningAlgorithm!) {
  rotateProductIntegrationSigningSecret(input: {id: $id, algorithm: $algorithm}) { signingSecret publicKey } }"""
INBOUND = "mutation($id: ID!) { generateProductIntegrationInboundClient(input: {id: $id}) { clientId clientSecret } }"
PING = """mutation($id: ID!) { triggerProductIntegrationPingTest(
  input: {id: $id, version: PUBLISHED, eventTypes: [SUBSCRIPTION_CHANGE]}) { test { id } userErrors { message } } }"""
TRY = """mutation($credentials: OutboundCredentialsInput!) {
  testProductIntegrationCredentials(input: {outboundCredentials: $credentials}) { success message errorCode } }"""
LOOK = """query($id: ID!) { productIntegration(id: $id) { name headers { name value secret }
  outboundCredentials { clientId clientSecret privateKey tokenUri } inboundClient { clientId clientSecret }
  signingSecrets { secret } signingKeys { kid publicKey } credentialState { state }
  lastTest { status results { message errorCode steps { name text } } } } }"""
PING_STATE = "query($id: ID!) { productIntegration(id: $id) { lastTest { status } } }"


def echo(status: int) -> Any:
    """A host that repeats all that it was sent: as it came, and bare, where nothing tells that it is a secret."""

    def answer(request: Received) -> Reply:
        bare = request.headers.get("Authorization", "").rpartition(" ")[2]
        told = (
            f"{bare} {request.headers.get('X-Api-Key')} {decoded(bare)} {request.body.decode()} {dict(request.headers)}"
        )
        return Reply.of(
            status, {"success": False, "message": told, "error": "invalid_client", "error_description": told}
        )

    return answer


def decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


@dataclass
class Scene:
    deployment: Deployment
    authorization: AuthorizationServer
    canaries: Canaries
    operator: Operator
    answers: list[bytes]
    integrations: dict[str, str] = field(default_factory=dict)

    async def integration(self, product: str, path: str, credentials: dict[str, Any]) -> str:
        header = self.canaries.new(f"header value of {product}")
        wanted = {
            "upgradeUrl": self.deployment.host.url(path),
            "outboundCredentials": credentials,
            "headers": [{"name": "X-Api-Key", "value": header, "secret": True}],
            "retrySchedule": [0.1],
        }
        made = await self.operator.graphql(CREATE, input=wanted, shown=SHOWN_ONCE)
        assert not made["userErrors"], made
        self.canaries.note(f"signing secret of {product}", made["signingSecret"].removeprefix("whsec_"))
        identity = str(made["productIntegration"]["id"])
        assert not (await self.operator.graphql(PUBLISH, id=identity))["userErrors"]
        assert not (await self.operator.graphql(LINK, id=identity, product=product))["userErrors"]
        self.integrations[product] = identity
        return identity

    async def emit(self, product: str) -> str:
        event = {"type": "upgrade", "productId": product, "payload": {}}
        return str((await self.operator.ask("POST", "/v1/events", json=event))["id"])


@pytest.fixture
async def scene(deployment: Deployment, authorization_server: AuthorizationServer) -> AsyncIterator[Scene]:
    canaries, answers = Canaries(), list[bytes]()
    operations = base64.b64encode(canaries.new("operations secret").encode()).decode()
    loud = {
        "LOG_LEVEL": "debug",
        "ADMIN_CLIENT_SECRET": canaries.new("admin secret"),
        "OPERATIONS_URL": deployment.host.url(OPERATIONS_PATH),
        "OPERATIONS_SECRET": f"whsec_{operations}",
    }
    canaries.note("key that seals", deployment.key)
    _, address = await deployment.api(**loud)
    await deployment.worker(**loud)
    async with ClientSession() as session:
        operator = Operator(session, address, answers)
        operator.token = await operator.log_in(ADMIN, canaries.planted["admin secret"])
        canaries.note("bearer token of ours", operator.token.rpartition(".")[2])
        yield Scene(deployment, authorization_server, canaries, operator, answers)


async def define(scene: Scene) -> None:
    """One integration for each way to authenticate, and some that never get through."""
    canaries, server, host = scene.canaries, scene.authorization, scene.deployment.host
    for method in ("client_secret_basic", "client_secret_post"):
        secret = canaries.new(f"client secret for {method}")
        server.register(TokenClient(method, method, secret))
        await scene.integration(
            method, "/good", oauth2(server.token_url, method, clientSecret=secret, authMethod=method.upper())
        )
    raw = ec.generate_private_key(ec.SECP256R1())
    pem = raw.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    canaries.note("private key", pem.splitlines()[1])
    server.register(
        TokenClient(
            "signer", "private_key_jwt", public_key=ECKey.import_key(ECKey.import_key(pem).as_dict(private=False))
        )
    )
    await scene.integration(
        "jwt", "/good", oauth2(server.token_url, "signer", privateKey=pem, authMethod="PRIVATE_KEY_JWT")
    )
    basic = {"type": "BASIC", "clientId": "user", "clientSecret": canaries.new("password")}
    await scene.integration("basic", "/echo", basic)
    repeating = {"type": "BASIC", "clientId": "user", "clientSecret": canaries.new("other password")}
    await scene.integration("refusing", "/refuse", repeating)
    echoing = oauth2(
        server.token_url, "client_secret_basic", clientSecret=canaries.planted["client secret for client_secret_basic"]
    )
    await scene.integration("echoed", "/echo", echoing)
    await scene.integration("refused", "/refuse", echoing)
    wrong = oauth2(host.url("/token-echo"), "wrong", clientSecret=canaries.new("secret that a token endpoint repeats"))
    await scene.integration("wrong", "/good", wrong)
    host.by_path |= {"/echo": echo(500), "/refuse": echo(200), "/token-echo": echo(401)}


def oauth2(token_url: str, client_id: str, **more: str) -> dict[str, str]:
    granted = {"type": "OAUTH2", "clientId": client_id, "tokenUri": token_url, "grantType": "CLIENT_CREDENTIALS"}
    return granted | more


async def deliver(scene: Scene) -> None:
    events = [await scene.emit(product) for product in scene.integrations for _ in range(2)]
    for event_id in events:
        await scene.operator.ask("GET", f"/v1/events/{event_id}?wait=10")
        for what in ("", "/attempts", "/explain"):
            await scene.operator.ask("GET", f"/v1/events/{event_id}{what}")
    for granted in scene.authorization.granted:
        scene.canaries.note(f"access token {granted['access_token'][:4]}", granted["access_token"])
    assert len(scene.authorization.granted) >= 3


async def ping(scene: Scene) -> None:
    for identity in scene.integrations.values():
        await scene.operator.graphql(PING, id=identity)
        async with asyncio.timeout(60):
            while (await scene.operator.graphql(PING_STATE, id=identity))["lastTest"]["status"] == "RUNNING":
                await asyncio.sleep(0.1)
        await scene.operator.graphql(LOOK, id=identity)
    for url in (scene.authorization.token_url, scene.deployment.host.url("/token-echo")):
        tried = oauth2(url, "nobody", clientSecret=scene.canaries.new(f"secret tried at {url}"))
        await scene.operator.graphql(TRY, credentials=tried)


async def rotate(scene: Scene) -> None:
    operator, canaries = scene.operator, scene.canaries
    for product, identity in scene.integrations.items():
        rotated = await operator.graphql(ROTATE, id=identity, algorithm="HMAC", shown=SHOWN_ONCE)
        canaries.note(f"second signing secret of {product}", rotated["signingSecret"].removeprefix("whsec_"))
        await operator.graphql(ROTATE, id=identity, algorithm="ED25519")
        pair = await operator.graphql(INBOUND, id=identity, shown=SHOWN_ONCE)
        canaries.note(f"inbound secret of {product}", pair["clientSecret"])
        inbound = Operator(operator._session, operator._address, scene.answers)
        inbound.token = await operator.log_in(pair["clientId"], pair["clientSecret"])
        canaries.note(f"inbound token of {product}", inbound.token.rpartition(".")[2])
        event_id = await scene.emit(product)
        await inbound.ask("GET", f"/api/integration/v1/events/{event_id}")
        await inbound.ask("POST", f"/api/integration/v1/events/{event_id}/result", json={"success": True})


async def misuse(scene: Scene) -> None:
    """Requests that are refused, with a secret in every place where somebody might put one."""
    operator, canaries = scene.operator, scene.canaries
    made = await operator.ask(
        "POST", "/v1/clients", json={"name": "backend", "scopes": ["events:write"]}, shown=SHOWN_ONCE
    )
    secret = canaries.note("client secret of ours", made["clientSecret"])
    for form in (
        {
            "grant_type": "client_credentials",
            "client_id": made["clientId"],
            "client_secret": canaries.new("wrong secret"),
        },
        {"grant_type": "password", "client_id": made["clientId"], "client_secret": secret},
        {"token": operator.token},
        {"token": operator.token, "client_id": made["clientId"], "client_secret": secret},
    ):
        for path in ("/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"):
            await operator.ask("POST", path, data=form, headers={"Authorization": ""})
    bad = {"clientSecret": canaries.new("secret in a broken mutation"), "type": "NONSENSE", "unknown": 1}
    await operator.graphql(CREATE, input={"outboundCredentials": bad})
    await operator.graphql(TRY, credentials=bad)
    inline = canaries.new("secret in a broken query")
    await operator.graphql(f'mutation {{ createProductIntegration(input: {{ nme: "{inline}" }}) {{ signingSecret }} }}')
    for header in (f"Bearer {operator.token}x", f"Basic {canaries.new('not base64')}", canaries.new("no scheme")):
        await operator.ask("GET", "/v1/queue", headers={"Authorization": header})
    await operator.ask("POST", "/v1/events", data=b"{", headers={"Content-Type": "application/json"})
    await operator.ask("POST", f"/v1/clients/{made['clientId']}/rotate", shown=SHOWN_ONCE)


async def look(scene: Scene) -> None:
    for path in (
        "/metrics",
        "/v1/queue",
        "/v1/events?limit=100",
        "/v1/events?type=OPERATIONAL",
        "/v1/clients",
        "/v1/audit",
        "/openapi.json",
        "/healthz",
        "/readyz",
        "/.well-known/oauth-authorization-server",
        "/oauth2/jwks",
    ):
        await scene.operator.ask("GET", path)


async def test_no_secret_is_left_behind_in_logs_answers_metrics_or_redis(scene: Scene) -> None:
    await define(scene)
    await deliver(scene)
    await ping(scene)
    await rotate(scene)
    await misuse(scene)
    await look(scene)
    for program in scene.deployment.programs:
        program.signal(signal.SIGTERM)
    for program in scene.deployment.programs:
        await program.ended()
    found = [leak async for leak in leaks(scene)]
    assert len(scene.canaries.planted) > 30
    assert found == []


async def leaks(scene: Scene) -> AsyncIterator[str]:
    canaries, deployment = scene.canaries, scene.deployment
    for number, answer in enumerate(scene.answers):
        for leak in canaries.found_in(f"answer {number}: {answer[:300]!r}", answer):
            yield leak
    for program in deployment.programs:
        lines = program.log.read_bytes().splitlines()
        assert any(b'"level":"debug"' in line for line in lines) or len(lines) > 5
        for line in lines:
            for leak in canaries.found_in(f"log line {line[:300]!r}", line):
                yield leak
    async for where, value in everything_in(deployment.redis):
        for leak in canaries.found_in(where, value):
            yield leak
    for file in sorted(deployment.server.folder.rglob("appendonlydir/*")):
        for leak in canaries.found_in(file.name, file.read_bytes()):
            yield leak


async def everything_in(redis: Redis) -> AsyncIterator[tuple[str, bytes]]:
    """Every key with its value, whatever its type; arq's too."""
    async for key in redis.scan_iter(count=1000):
        yield f"the name {key!r}", key
        yield f"the value of {key!r}", await redis.dump(key) or b""
        kind = (await redis.type(key)).decode()
        if kind == "hash":
            yield f"the value of {key!r}", repr(await redis.hgetall(key)).encode()  # type: ignore[misc]
        elif kind == "string":
            yield f"the value of {key!r}", await redis.get(key) or b""
        elif kind == "stream":
            yield f"the value of {key!r}", repr(await redis.xrange(key)).encode()
        elif kind == "list":
            yield f"the value of {key!r}", repr(await redis.lrange(key, 0, -1)).encode()  # type: ignore[misc]
