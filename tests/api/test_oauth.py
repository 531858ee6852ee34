"""The authorization server: tokens, keys, metadata, revocation, introspection."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest
from aiohttp import ClientResponse
from joserfc import jwt
from joserfc.jwk import KeySet
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.http.request.parameters import ASSERTION_TYPE
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.model.access import ADMIN_SCOPES, ApiClient
from dispatcher.model.integration import Revision
from dispatcher.store.access.clients import hash_secret
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, KEY, Api, Start, api_settings, basic, publish

GRANT = {"grant_type": "client_credentials"}
ADMIN = basic(ADMIN_ID, ADMIN_SECRET)


async def ask(api: Api, status: int, path: str = "/oauth2/token", **kwargs: Any) -> tuple[ClientResponse, Any]:
    answer = await api.http.post(path, **kwargs)
    body = await answer.json()
    assert answer.status == status, body
    return answer, body


async def refused(api: Api, status: int, error: str, **kwargs: Any) -> Any:
    answer, body = await ask(api, status, **kwargs)
    assert body["error"] == error, body
    assert body["error_description"]
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


async def test_basic_and_form_both_get_a_token(api: Api) -> None:
    answer, body = await ask(api, 200, data=GRANT, headers=ADMIN)
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert set(body["scope"].split()) == {scope.value for scope in ADMIN_SCOPES}
    assert answer.headers["Cache-Control"] == "no-store"
    _, other = await ask(api, 200, data=GRANT | {"client_id": ADMIN_ID, "client_secret": ADMIN_SECRET})
    assert other["scope"] == body["scope"]


async def test_token_is_an_rfc_9068_jwt_that_the_published_key_verifies(api: Api) -> None:
    keys = KeySet.import_key_set(await (await api.http.get("/oauth2/jwks")).json())
    token = jwt.decode(await api.token(scope="events:read"), keys, ["RS256"])
    assert token.header["typ"] == "at+jwt"
    assert token.header["kid"] == keys.keys[0].kid
    claims = token.claims
    assert (claims["iss"], claims["aud"]) == ("https://dispatcher.example", "https://dispatcher.example")
    assert claims["sub"] == claims["client_id"] == ADMIN_ID
    assert claims["exp"] - claims["iat"] == 600
    assert claims["scope"] == "events:read"


async def test_published_keys_hold_nothing_private(api: Api) -> None:
    body = await (await api.http.get("/oauth2/jwks")).json()
    assert [set(key) & {"d", "p", "q", "dp", "dq", "qi"} for key in body["keys"]] == [set()]


async def test_signing_key_is_stored_sealed_only(api: Api) -> None:
    stored = await api.redis.hgetall("{def}:jwt-keys")  # type: ignore[misc]
    assert [value.split(b".")[0] for value in stored.values()] == [b"v1"]
    assert ADMIN_SECRET.encode() not in b"".join(await api.redis.hvals("{def}:clients"))  # type: ignore[misc]


async def test_first_start_makes_a_key_and_all_processes_share_it(redis: Redis) -> None:
    first, second = await asyncio.gather(build_app(api_settings(), redis), build_app(api_settings(), redis))
    third = await build_app(api_settings(), redis)
    assert len({app[OAUTH].keys.keys[0].kid for app in (first, second, third)}) == 1


async def test_a_token_is_good_at_every_process(start: Start) -> None:
    one, two = await start(), await start()
    answer = await two.http.get("/v1/events", headers=one.headers)
    assert answer.status == 200


async def test_asked_scopes_are_given_if_they_are_the_clients(api: Api) -> None:
    _, body = await ask(api, 200, data=GRANT | {"scope": "events:read ops:read"}, headers=ADMIN)
    assert body["scope"] == "events:read ops:read"
    await refused(api, 400, "invalid_scope", data=GRANT | {"scope": "events:read root"}, headers=ADMIN)
    await refused(api, 400, "invalid_scope", data=GRANT | {"scope": "ROLE_APPLICATION"}, headers=ADMIN)


BAD_AUTHORIZATION = ["Basic /w==", "Basic !!!!", "Basic ", "Basic", "Basic YQ==", "Basic Og==", "Bearer x", "x"]


@pytest.mark.parametrize("authorization", BAD_AUTHORIZATION)
async def test_bi36_credentials_that_cannot_be_read_are_refused(api: Api, authorization: str) -> None:
    answer, body = await ask(api, 401, data=GRANT, headers={"Authorization": authorization})
    assert body["error"] == "invalid_client"
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_bi37_repeated_parameters_and_other_bodies_are_refused(api: Api) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"} | ADMIN
    await refused(api, 400, "invalid_request", data="grant_type=client_credentials&grant_type=x", headers=form)
    await refused(api, 400, "invalid_request", data="grant_type=%ff", headers=form)
    await refused(api, 400, "invalid_request", data="&".join(f"p{i}=1" for i in range(99)), headers=form)
    await refused(api, 400, "invalid_request", json=GRANT, headers=ADMIN)
    await refused(api, 400, "invalid_request", headers=ADMIN)


async def test_bi38_unknown_client_and_wrong_secret_cannot_be_told_apart(api: Api) -> None:
    answers = [
        await refused(api, 401, "invalid_client", data=GRANT, headers=headers)
        for headers in (basic("nobody", ADMIN_SECRET), basic(ADMIN_ID, "wrong"), basic(ADMIN_ID, ""), {})
    ]
    assert len({body["error_description"] for body in answers}) == 1


async def test_bi38_unknown_client_and_wrong_secret_take_about_the_same_time(start: Start) -> None:
    """By the CPU of this process, which is the server's too: other work on the machine does not lengthen it."""
    api = await start(auth_failures=0)
    took_s: dict[str, list[float]] = {"nobody": [], ADMIN_ID: []}
    for _ in range(15):
        for client_id, times in took_s.items():
            began_s = time.process_time()
            await refused(api, 401, "invalid_client", data=GRANT, headers=basic(client_id, "x"))
            times.append(time.process_time() - began_s)
    assert 0.4 < min(took_s["nobody"]) / min(took_s[ADMIN_ID]) < 2.5


async def test_other_grants_are_refused(api: Api) -> None:
    await refused(api, 400, "unsupported_grant_type", data={"grant_type": "password"}, headers=ADMIN)
    await refused(api, 400, "invalid_request", data={"scope": "events:read"}, headers=ADMIN)


async def test_two_ways_to_authenticate_at_once_are_refused(api: Api) -> None:
    both = GRANT | {"client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}
    await refused(api, 400, "invalid_request", data=both, headers=ADMIN)
    await refused(api, 400, "invalid_request", data=GRANT | {"client_id": "other"}, headers=ADMIN)


async def test_an_access_token_in_the_header_authenticates_no_client_and_harms_none(api: Api) -> None:
    secret = {"client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}
    await ask(api, 200, data=GRANT | secret, headers={"Authorization": "bearer x"})
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": "x"}
    await refused(api, 401, "invalid_client", data=GRANT | assertion, headers={"Authorization": "Bearer x"})
    await refused(api, 400, "invalid_request", data=GRANT | assertion, headers=ADMIN)


async def test_secret_may_be_form_encoded_in_basic_or_not(start: Start) -> None:
    secret = "a secret+with %41 & more"
    api = await start(admin_client_secret=ADMIN_SECRET)
    client, _ = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    await api.services.clients.put(replace(client, secret_hash=hash_secret(secret)))
    await ask(api, 200, data=GRANT, headers=basic(client.client_id, secret))
    encoded = "a+secret%2Bwith+%2541+%26+more"
    await ask(api, 200, data=GRANT, headers=basic(client.client_id, encoded))


ODD = ["100%", "a+b", "50%41", "x%ffy", "Straße€", "Straße %2B", "ünï+%C3%BC", "a:b%3Ac"]


def raw_basic(client_id: str, secret: str, charset: str = "utf-8") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode(charset)).decode()}


async def known_as(api: Api, client_id: str, secret: str) -> None:
    await api.services.clients.put(ApiClient(client_id, hash_secret(secret), frozenset({"events:read"}), 0))


async def test_odd_ids_and_secrets_are_read_raw_and_form_encoded(api: Api) -> None:
    for odd in ODD:
        client_id, secret = odd.replace(":", ""), f"secret {odd}"
        await known_as(api, client_id, secret)
        for sent in (raw_basic(client_id, secret), raw_basic(quote_plus(client_id), quote_plus(secret))):
            _, body = await ask(api, 200, "/oauth/token", data=GRANT, headers=sent)
            assert body["clientId"] == client_id
        await ask(api, 200, data=GRANT | {"client_id": client_id}, headers=raw_basic(client_id, secret))
        await refused(api, 401, "invalid_client", data=GRANT, headers=raw_basic(client_id, secret + "x"))
        other = GRANT | {"client_id": "other"}
        await refused(api, 400, "invalid_request", data=other, headers=raw_basic(client_id, secret))


async def test_ids_and_secrets_in_latin_1_are_read(api: Api) -> None:
    await known_as(api, "Bär", "großes Geheimnis")
    await ask(api, 200, data=GRANT, headers=raw_basic("Bär", "großes Geheimnis", "latin-1"))
    await refused(api, 401, "invalid_client", data=GRANT, headers=raw_basic("Bär", "großes", "latin-1"))


async def test_two_clients_whose_ids_read_alike_are_told_apart(api: Api) -> None:
    await known_as(api, "a b", "first")
    await known_as(api, "a+b", "second")
    for secret, client_id in (("first", "a b"), ("second", "a+b")):
        _, body = await ask(api, 200, "/oauth/token", data=GRANT, headers=raw_basic("a+b", secret))
        assert body["clientId"] == client_id


async def test_spellings_of_one_id_share_the_lock_out_and_count_once(start: Start) -> None:
    api = await start(auth_failures=3)
    await known_as(api, "a%62c", "right")

    async def status(client_id: str, secret: str) -> int:
        return (await api.http.post("/oauth2/token", data=GRANT, headers=raw_basic(client_id, secret))).status

    spellings = ("a%62c", "a%2562c", "a%62c")
    assert [await status(one, f"wrong+{n}") for n, one in enumerate(spellings)] == [401, 401, 401]
    assert [await status(one, "right") for one in spellings] == [429, 429, 429]


async def test_metadata_names_every_endpoint(api: Api) -> None:
    body = await (await api.http.get("/.well-known/oauth-authorization-server")).json()
    assert body["issuer"] == "https://dispatcher.example"
    for name in ("token_endpoint", "jwks_uri", "revocation_endpoint", "introspection_endpoint"):
        path = body[name].removeprefix("https://dispatcher.example")
        assert (await api.http.get(path)).status in (200, 405), name
    assert body["grant_types_supported"] == ["client_credentials"]


async def test_revoked_token_is_refused_at_once(api: Api) -> None:
    token = await api.token()
    headers = {"Authorization": f"Bearer {token}"}
    assert (await api.http.get("/v1/events", headers=headers)).status == 200
    await ask(api, 200, "/oauth2/revoke", data={"token": token, "token_type_hint": "access_token"}, headers=ADMIN)
    assert (await api.http.get("/v1/events", headers=headers)).status == 401
    _, seen = await ask(api, 200, "/oauth2/introspect", data={"token": token}, headers=ADMIN)
    assert seen == {"active": False}


async def test_revoking_what_is_no_token_is_fine_and_anothers_token_is_not(api: Api) -> None:
    await ask(api, 200, "/oauth2/revoke", data={"token": "rubbish"}, headers=ADMIN)
    await refused(api, 400, "invalid_request", path="/oauth2/revoke", data={}, headers=ADMIN)
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    own = basic(client.client_id, secret)
    await refused(api, 400, "invalid_grant", path="/oauth2/revoke", data={"token": await api.token()}, headers=own)
    await refused(api, 401, "invalid_client", path="/oauth2/revoke", data={"token": "x"})
    hint = {"token": "x", "token_type_hint": "nonsense"}
    await refused(api, 400, "unsupported_token_type", path="/oauth2/revoke", data=hint, headers=ADMIN)


async def test_introspection_tells_of_own_tokens_and_administrators_of_all(api: Api) -> None:
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    own = basic(client.client_id, secret)
    mine = {"token": await api.token(client.client_id, secret)}
    _, seen = await ask(api, 200, "/oauth2/introspect", data=mine, headers=own)
    assert (seen["active"], seen["client_id"], seen["scope"]) == (True, client.client_id, "events:read")
    _, seen = await ask(api, 200, "/oauth2/introspect", data=mine, headers=ADMIN)
    assert seen["active"] is True
    _, seen = await ask(api, 200, "/oauth2/introspect", data={"token": await api.token()}, headers=own)
    assert seen == {"active": False}


async def test_inbound_client_gets_a_token_for_its_integration_and_the_old_pair_none(api: Api) -> None:
    from dispatcher.flow.integrations.credentials.inbound_client import generate_inbound_client

    integration = await publish(api.services, Revision(urls={}))
    old = await generate_inbound_client(api.services.definitions, integration.id, 1)
    _, body = await ask(api, 200, data=GRANT, headers=basic(old.client_id, old.client_secret))
    assert body["scope"] == "ROLE_APPLICATION"
    middle = body["access_token"].split(".")[1]
    claims = base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))
    assert integration.id.encode() in claims
    new = await generate_inbound_client(api.services.definitions, integration.id, 2)
    await refused(api, 401, "invalid_client", data=GRANT, headers=basic(old.client_id, old.client_secret))
    await ask(api, 200, data=GRANT, headers=basic(new.client_id, new.client_secret))


async def test_wrong_method_and_unknown_path_answer_in_the_form_of_oauth(api: Api) -> None:
    answer = await api.http.get("/oauth2/token")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert (await answer.json())["error"] == "invalid_request"
    assert (await (await api.http.get("/oauth2/none")).json())["error"] == "invalid_request"


def test_the_test_settings_seal_with_one_key() -> None:
    assert [key.get_secret_value() for key in api_settings().secret_keys] == [KEY]
