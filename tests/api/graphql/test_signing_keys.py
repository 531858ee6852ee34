"""Signing keys as publishers rotate them, and as everybody may read them."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.policy.notification.signing import parse_secret, parse_verifying_key, published_key
from tests.api.graphql.conftest import Graph

ROTATE = "rotateProductIntegrationSigningSecret"
WANTED = "signingSecret publicKey productIntegration { signingSecrets { secret } }"
KEYS = "signingKeys { kid algorithm publicKey createdOn notAfter }"


async def rotate(graph: Graph, own_id: str, more: str = "algorithm: ED25519") -> Any:
    payload = await graph.change(ROTATE, f'id: "{own_id}" {more}', WANTED)
    assert payload["userErrors"] == [], payload
    return payload


async def signing(graph: Graph, own_id: str) -> list[Any]:
    return list((await graph.shown(own_id, KEYS))["signingKeys"])


async def published(graph: Graph, own_id: str) -> list[dict[str, str]]:
    answer = await graph.api.http.get(f"/.well-known/webhook-keys/{own_id}")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert answer.content_type == "application/json"
    keys: list[dict[str, str]] = (await answer.json())["keys"]
    return keys


async def test_an_ed25519_rotation_answers_the_public_key_and_no_secret(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    done = await rotate(graph, own_id)
    assert done["signingSecret"] is None
    parse_verifying_key(done["publicKey"])
    assert done["publicKey"].startswith("whpk_")
    assert [one["secret"] for one in done["productIntegration"]["signingSecrets"]] == ["******"] * 2
    ed25519, hmac = await signing(graph, own_id)
    jwk = published_key(done["publicKey"])
    assert (ed25519["algorithm"], ed25519["publicKey"], ed25519["kid"]) == ("ED25519", done["publicKey"], jwk["kid"])
    assert (hmac["algorithm"], hmac["publicKey"], hmac["kid"], hmac["notAfter"]) == ("HMAC", None, None, None)
    assert await published(graph, own_id) == [jwk]


async def test_hmac_stays_the_default_and_its_rotation_leaves_the_public_key_alone(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    public_key = (await rotate(graph, own_id))["publicKey"]
    done = await rotate(graph, own_id, "overlapSeconds: 0")
    parse_secret(done["signingSecret"])
    assert done["publicKey"] is None
    assert await published(graph, own_id) == [published_key(public_key)]
    assert [one["algorithm"] for one in await signing(graph, own_id)] == ["HMAC", "ED25519"]


async def test_a_replaced_key_is_published_until_its_overlap_ends(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    old = published_key((await rotate(graph, own_id))["publicKey"])
    new = published_key((await rotate(graph, own_id, "algorithm: ED25519, overlapSeconds: 100"))["publicKey"])
    graph.api.clock.now_s += 99
    assert await published(graph, own_id) == [new, old]
    graph.api.clock.now_s += 1
    assert await published(graph, own_id) == [new]
    assert [one["kid"] for one in await signing(graph, own_id)] == [new["kid"], None]


async def test_only_ends_the_keys_of_the_other_algorithm(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    await rotate(graph, own_id, "algorithm: ED25519, only: true, overlapSeconds: 60")
    ed25519, hmac = await signing(graph, own_id)
    assert ed25519["notAfter"] is None
    assert hmac["notAfter"] is not None
    graph.api.clock.now_s += 60
    assert [one["algorithm"] for one in await signing(graph, own_id)] == ["ED25519"]


async def test_many_rotations_of_one_algorithm_never_drop_the_key_of_the_other(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    public_key = (await rotate(graph, own_id))["publicKey"]
    for _ in range(12):
        await rotate(graph, own_id, "algorithm: HMAC")
    assert await published(graph, own_id) == [published_key(public_key)]


@pytest.mark.parametrize("word", ["ed25519", '"ED25519"'])
async def test_the_algorithm_is_read_in_any_form(graph: Graph, word: str) -> None:
    own_id = (await graph.created())["id"]
    assert (await rotate(graph, own_id, f"algorithm: {word}"))["publicKey"]


async def test_the_seed_is_sealed_in_the_store(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    await rotate(graph, own_id)
    found = await graph.api.services.definitions.needed(own_id)
    assert all("whsk_" not in one.secret and "whsec_" not in one.secret for one in found.signing_secrets)


async def test_keys_are_found_by_uuid_alone(graph: Graph) -> None:
    created = await graph.created()
    for other in (created["appMarketId"], created["connectorId"], "00000000-0000-0000-0000-000000000000"):
        answer = await graph.api.http.get(f"/.well-known/webhook-keys/{other}")
        assert answer.status == 404
