"""A whole deployment with a unique secret in every place that holds one. Holds no test."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from tests.authorization_server import AuthorizationServer
from tests.authorization_server import Client as TokenClient
from tests.faults.canaries import Canaries
from tests.faults.deployment import ADMIN, Deployment
from tests.hosts import Received, Reply

OPERATIONS_PATH = "/operations"
SHOWN_ONCE = "shown once, on purpose"


class Operator:
    """Talks to the API and keeps every answer that shows no secret on purpose."""

    def __init__(self, session: ClientSession, address: str, answers: list[bytes]) -> None:
        self._session, self._address, self._answers = session, address, answers
        self.token = ""

    def colleague(self) -> Operator:
        """Another caller of the same API, not logged in yet."""
        return Operator(self._session, self._address, self._answers)

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
