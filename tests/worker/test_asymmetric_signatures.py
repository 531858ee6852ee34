"""A host that keeps no secret verifies what a worker sends with nothing but the published keys."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook

from dispatcher.flow.integrations.credentials.rotate_secret import rotate_secret
from dispatcher.model.integration import Integration, SigningAlgorithm
from dispatcher.model.status import Status
from tests.hosts import Received
from tests.serving import Http, asking
from tests.waiting import until
from tests.worker.conftest import SECRET, Shop


@pytest.fixture
async def published(shop: Shop) -> AsyncIterator[Http]:
    async with asking(await shop.built_api()) as http:
        yield http


async def keys_of(http: Http, integration: Integration) -> list[dict[str, str]]:
    answer = await http.get(f"/.well-known/webhook-keys/{integration.id}")
    assert answer.status == 200
    keys: list[dict[str, str]] = (await answer.json())["keys"]
    return keys


def entries(request: Received, scheme: str) -> list[bytes]:
    parts = [entry.partition(",") for entry in request.headers["webhook-signature"].split(" ")]
    return [base64.b64decode(text) for name, _, text in parts if name == scheme]


def verified(request: Received, keys: list[dict[str, str]], body: bytes | None = None) -> bool:
    """As a host would, who knows RFC 8037 and Standard Webhooks, and none of our code."""
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    content += request.body if body is None else body
    for jwk in keys:
        assert (jwk["kty"], jwk["crv"]) == ("OKP", "Ed25519")
        public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(jwk["x"] + "=" * (-len(jwk["x"]) % 4)))
        for signature in entries(request, "v1a"):
            try:
                public.verify(signature, content)
            except InvalidSignature:
                continue
            return True
    return False


async def rotated(shop: Shop, integration: Integration, overlap_s: float = 60, **more: Any) -> Integration:
    now_ms = int(time.time() * 1000)
    done = await rotate_secret(
        shop.definitions, shop.sealer, integration.id, now_ms, overlap_s, SigningAlgorithm.ED25519, **more
    )
    return done.integration


async def sent(shop: Shop, integration: Integration) -> Received:
    event_id = await shop.emit(integration)
    assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    return shop.host.requests[-1]


async def test_host_verifies_with_the_published_key_only(shop: Shop, published: Http) -> None:
    integration = await rotated(shop, await shop.integration())
    keys = await keys_of(published, integration)
    await shop.work()
    request = await sent(shop, integration)
    assert len(keys) == 1
    assert verified(request, keys)
    assert not verified(request, keys, body=request.body + b" ")
    Webhook(SECRET).verify(request.body, {k.lower(): v for k, v in request.headers.items()})


async def test_rotation_keeps_the_old_key_published_and_signing_until_the_overlap_ends(
    shop: Shop, published: Http
) -> None:
    integration = await rotated(shop, await shop.integration())
    old = await keys_of(published, integration)
    await rotated(shop, integration, overlap_s=2)
    both = await keys_of(published, integration)
    await shop.work()
    during = await sent(shop, integration)
    assert old[0] in both
    assert len(both) == 2
    assert verified(during, old)
    assert verified(during, [key for key in both if key not in old])

    async def dropped() -> bool:
        return old[0] not in await keys_of(published, integration)

    await until(dropped)
    after = await sent(shop, integration)
    assert not verified(after, old)
    assert verified(after, await keys_of(published, integration))


async def test_no_shared_secret_signs_once_only_the_public_key_is_wanted(shop: Shop, published: Http) -> None:
    integration = await rotated(shop, await shop.integration(), overlap_s=0, only=True)
    await shop.work()
    request = await sent(shop, integration)
    assert entries(request, "v1") == []
    assert verified(request, await keys_of(published, integration))


async def test_an_integration_with_a_shared_secret_publishes_nothing(shop: Shop, published: Http) -> None:
    assert await keys_of(published, await shop.integration()) == []
    answer = await published.get("/.well-known/webhook-keys/34001")
    assert answer.status == 404
    assert (await answer.json())["errors"][0]["code"] == "not_found"
