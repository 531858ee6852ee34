"""Everything that is done with the secrets of a scene: right, wrong and by those who only look. Holds no test."""

from __future__ import annotations

from functools import partial

from tests.faults.canary_scene import CREATE, SHOWN_ONCE, Scene, oauth2, scene
from tests.waiting import until

__all__ = ["scene"]


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
        await until(partial(_pinged, scene, identity), 60)
        await scene.operator.graphql(LOOK, id=identity)
    for url in (scene.authorization.token_url, scene.deployment.host.url("/token-echo")):
        tried = oauth2(url, "nobody", clientSecret=scene.canaries.new(f"secret tried at {url}"))
        await scene.operator.graphql(TRY, credentials=tried)


async def _pinged(scene: Scene, identity: str) -> bool:
    return bool((await scene.operator.graphql(PING_STATE, id=identity))["lastTest"]["status"] != "RUNNING")


async def rotate(scene: Scene) -> None:
    operator, canaries = scene.operator, scene.canaries
    for product, identity in scene.integrations.items():
        rotated = await operator.graphql(ROTATE, id=identity, algorithm="HMAC", shown=SHOWN_ONCE)
        canaries.note(f"second signing secret of {product}", rotated["signingSecret"].removeprefix("whsec_"))
        await operator.graphql(ROTATE, id=identity, algorithm="ED25519")
        pair = await operator.graphql(INBOUND, id=identity, shown=SHOWN_ONCE)
        canaries.note(f"inbound secret of {product}", pair["clientSecret"])
        inbound = operator.colleague()
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
        "/asyncapi.json",
        "/healthz",
        "/readyz",
        "/.well-known/oauth-authorization-server",
        "/oauth2/jwks",
    ):
        await scene.operator.ask("GET", path)
