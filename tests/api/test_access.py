"""Bearer tokens at the door: which are let in, which are not, and for how long a change goes unnoticed."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from dispatcher.api.oauth.gate import RECHECK_S
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.errors import ConfigurationError
from tests.api.conftest import ADMIN_ID, Api, Start


async def status_of(api: Api, authorization: str) -> int:
    return (await api.http.get("/v1/events", headers={"Authorization": authorization})).status


def forged(api: Api, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token like ours but for the given changes; signed with our key unless another is given."""
    assert api.http.app is not None
    server = api.http.app[OAUTH]
    ours = server.keys.keys[0]
    now_s = int(api.clock.now_s)
    stamp = jwt.decode(api.headers["Authorization"].split()[1], server.keys, ["RS256"]).claims["stamp"]
    body = {
        "iss": server.issuer,
        "aud": server.issuer,
        "sub": ADMIN_ID,
        "client_id": ADMIN_ID,
        "iat": now_s,
        "exp": now_s + 600,
        "jti": "j",
        "scope": "events:read",
        "stamp": stamp,
    } | claims
    kept = {name: value for name, value in body.items() if value is not None}
    head = {"alg": "RS256", "typ": "at+jwt", "kid": ours.kid} | (header or {})
    return jwt.encode(
        {name: value for name, value in head.items() if value is not None}, kept, key or ours, [head["alg"]]
    )


async def test_a_token_like_ours_is_let_in(api: Api) -> None:
    assert await status_of(api, f"Bearer {forged(api)}") == 200
    assert await status_of(api, f"bearer {forged(api)}") == 200


async def test_bi33_every_bad_token_gets_the_same_answer(api: Api) -> None:
    stranger = RSAKey.generate_key(2048, auto_kid=True)
    ours_public = forged(api).split(".")
    bad = {
        "malformed": "abc",
        "empty": "",
        "two parts": ".".join(ours_public[:2]),
        "expired": forged(api, exp=int(api.clock.now_s)),
        "audience": forged(api, aud="https://other.example"),
        "issuer": forged(api, iss="https://other.example"),
        "unknown kid": forged(api, key=stranger, header={"kid": "nope"}),
        "our kid, other key": forged(api, key=stranger),
        "no kid": forged(api, header={"kid": None}),
        "type": forged(api, header={"typ": "JWT"}),
        "hmac": forged(api, key=OctKey.import_key("x" * 32), header={"alg": "HS256"}),
        "none": "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + ours_public[1] + ".",
        "no client": forged(api, client_id=None),
        "no jti": forged(api, jti=None),
        "unknown client": forged(api, client_id="nobody"),
        "other secret": forged(api, stamp="0" * 16),
        "exp is text": forged(api, exp="soon"),
        "huge": "a" * 8000,
    }
    texts = set()
    for name, token in bad.items():
        answer = await api.http.get("/v1/events", headers={"Authorization": f"Bearer {token}"})
        body = await answer.json()
        assert answer.status == 401, name
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="dispatcher", error="invalid_token"', name
        texts.add((body["errors"][0]["code"], body["errors"][0]["message"]))
    assert len(texts) == 1
    assert texts.pop()[0] == "invalid_token"


@pytest.mark.parametrize("authorization", ["Basic eDp5", "Token x", "Bearer", "Bearer \xff"])
async def test_other_schemes_are_refused(api: Api, authorization: str) -> None:
    assert await status_of(api, authorization) == 401


async def test_token_ends_with_its_lifetime_although_it_is_remembered(api: Api) -> None:
    token = api.headers["Authorization"]
    for second in range(0, 600, 100):
        api.clock.now_s += 100 if second else 0
        assert await status_of(api, token) == 200
    api.clock.now_s += 100
    assert await status_of(api, token) == 401


async def test_disabled_client_is_let_in_no_longer_than_the_recheck(api: Api) -> None:
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    token = f"Bearer {await api.token(client.client_id, secret)}"
    assert await status_of(api, token) == 200
    await api.services.clients.disable(client.client_id)
    api.clock.now_s += RECHECK_S + 0.1
    assert await status_of(api, token) == 401
    assert await status_of(api, token) == 401


async def test_rotated_client_needs_a_new_token(api: Api) -> None:
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    token = f"Bearer {await api.token(client.client_id, secret)}"
    assert await status_of(api, token) == 200
    fresh = await api.services.clients.rotate(client.client_id)
    assert fresh is not None
    api.clock.now_s += RECHECK_S + 0.1
    assert await status_of(api, token) == 401
    assert await status_of(api, f"Bearer {await api.token(client.client_id, fresh)}") == 200


async def test_scopes_taken_from_a_client_are_taken_from_its_tokens(api: Api) -> None:
    from dataclasses import replace

    client, secret = await api.services.clients.create(frozenset({"events:read", "ops:read"}), "", None, 0)
    token = f"Bearer {await api.token(client.client_id, secret)}"
    assert await status_of(api, token) == 200
    await api.services.clients.put(replace(client, scopes=frozenset({"ops:read"})))
    api.clock.now_s += RECHECK_S + 0.1
    assert await status_of(api, token) == 403


async def test_roles_stand_for_what_they_grant(api: Api) -> None:
    developer = await api.bearer_of_new("ROLE_DEVELOPER")
    assert (await api.http.get("/v1/events", headers=developer)).status == 200
    assert (await api.http.get("/v1/queue", headers=developer)).status == 403
    channel = await api.bearer_of_new("ROLE_CHANNEL_ADMIN")
    assert (await api.http.get("/v1/clients", headers=channel)).status == 200


async def test_account_clients_never_see_the_whole_fleet(api: Api) -> None:
    headers = await api.bearer_of_new("ops:read", "ops:write", "clients:admin", account_id="A")
    for method, path in (("GET", "/v1/queue"), ("POST", "/v1/redeliveries"), ("GET", "/v1/clients")):
        await api.refused(method, path, 403, "account_restricted", headers=headers)


async def test_admin_settings_must_be_whole(start: Start) -> None:
    for changes in ({"admin_client_secret": None}, {"admin_client_id": None}, {"admin_client_secret": ""}):
        with pytest.raises(ConfigurationError):
            await start(**changes)


async def test_an_admin_secret_with_control_characters_within_stops_the_start_and_is_not_repeated(start: Start) -> None:
    with pytest.raises(ConfigurationError, match="DISPATCHER_ADMIN_CLIENT_SECRET holds control characters") as error:
        await start(admin_client_secret="0123456789\nabcdefgh")
    assert "0123456789" not in str(error.value)


async def test_an_admin_secret_with_a_line_end_around_it_is_warned_of(start: Start) -> None:
    with structlog.testing.capture_logs() as lines, pytest.raises(AssertionError):
        await start(admin_client_secret="0123456789abcdefgh\n")
    assert "DISPATCHER_ADMIN_CLIENT_SECRET begins or ends with a blank" in " ".join(one["event"] for one in lines)


async def test_admin_secret_follows_the_settings(start: Start) -> None:
    await start()
    with pytest.raises(AssertionError):
        await start(admin_client_secret="another-secret-here")
    api = await start()
    assert (await api.http.get("/v1/events", headers=api.headers)).status == 200
