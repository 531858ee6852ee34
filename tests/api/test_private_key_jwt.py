"""Clients that prove themselves with a key of their own (RFC 7523 §2.2), foreign clients as judges."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt as pyjwt
import pytest
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from dispatcher.api.http.request.parameters import ASSERTION_TYPE
from dispatcher.client import ApiError, Client
from dispatcher.policy.secrets.client_key import ALGORITHMS
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, Start, basic
from tests.api.test_oauth import GRANT, ask, refused

ISSUER = "https://dispatcher.example"
RSA_KEY = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, Any] = {
    "RS256": RSA_KEY,
    "PS256": RSA_KEY,
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": (ED_KEY := ed25519.Ed25519PrivateKey.generate()),
    "Ed25519": ED_KEY,
}

KINDS: dict[str, Any] = {"RS": RSAKey, "PS": RSAKey, "ES": ECKey, "Ed": OKPKey}


def public(key: Any) -> str:
    return str(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def private(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


@dataclass
class Holder:
    """A client with a key of its own, and what it signs."""

    api: Api
    id: str
    key: Any = KEYS["EdDSA"]
    algorithm: str = "EdDSA"
    signed: int = 0

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(self.api.clock.now_s)
        self.signed += 1
        mine = {"iss": self.id, "sub": self.id, "aud": f"{ISSUER}/oauth2/token", "exp": now + 60, "iat": now}
        given = mine | {"jti": f"{self.signed}"} | other
        return {name: value for name, value in given.items() if value is not None}

    def form(self, headers: Mapping[str, Any] | None = None, **other: Any) -> dict[str, str]:
        text = pyjwt.encode(self.claims(**other), self.key, self.algorithm, dict(headers or {}))
        return GRANT | {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}


async def registered(api: Api, algorithm: str = "EdDSA") -> Holder:
    asked = {"scopes": ["events:read"], "publicKey": public(KEYS[algorithm])}
    made = await (await api.ask("POST", "/v1/clients", json=asked)).json()
    assert made["clientSecret"] is None
    assert made["publicKey"]["kid"]
    return Holder(api, made["clientId"], KEYS[algorithm], algorithm)


@pytest.fixture
async def holder(api: Api) -> Holder:
    return await registered(api)


async def test_an_assertion_gets_a_token_that_works_at_both_endpoints(holder: Holder) -> None:
    for path in ("/oauth2/token", "/oauth/token"):
        _, body = await ask(holder.api, 200, path, data=holder.form())
        bearer = {"Authorization": f"Bearer {body['access_token']}"}
        assert (await holder.api.http.get("/v1/events", headers=bearer)).status == 200


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_the_client_library_signs_for_itself(start: Start, algorithm: str) -> None:
    api = await start(public_base_url=ISSUER)
    holder = await registered(api, algorithm)
    api.clock.now_s = time.time()
    pem, url = private(holder.key), str(api.http.make_url(""))
    async with Client(url, holder.id, private_key=pem, audience=f"{ISSUER}/oauth2/token") as client:
        assert [event async for event in client.events({})] == []
    async with Client(url, holder.id, private_key=pem) as elsewhere:
        with pytest.raises(ApiError, match="its aud names none of") as refusal:
            await elsewhere.event("x")
    assert refusal.value.status == 401


async def test_authlib_as_a_client_gets_a_token_with_each_algorithm(api: Api) -> None:
    for algorithm in ALGORITHMS:
        holder = await registered(api, algorithm)
        now = int(api.clock.now_s)
        method = PrivateKeyJWT(f"{ISSUER}/oauth2/token", {"iat": now, "exp": now + 3600}, alg=algorithm)
        signer = ClientAuth(holder.id, KINDS[algorithm[:2]].import_key(private(holder.key)), method)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of the older name of Ed25519
            _, headers, body = signer.prepare("POST", "/oauth2/token", {}, "grant_type=client_credentials")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer, _ = await ask(api, 200, data=body, headers=dict(headers) | form)
        assert answer.headers["Cache-Control"] == "no-store"


async def test_an_assertion_is_good_once_however_often_it_is_sent(holder: Holder) -> None:
    form = holder.form()
    await ask(holder.api, 200, data=form)
    body = await refused(holder.api, 401, "invalid_client", data=form)
    assert "used before" in body["error_description"]
    await ask(holder.api, 200, data=holder.form())
    kept = [await holder.api.redis.ttl(key) for key in await holder.api.redis.keys("revoked:assertion:*")]
    assert len(kept) == 2
    assert all(0 < seconds <= 60 + 60 + 1 for seconds in kept)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another's iss": ({"iss": ADMIN_ID}, "its iss"),
    "no iss": ({"iss": None}, "its iss"),
    "another audience": ({"aud": "https://elsewhere.example"}, "its aud"),
    "no audience": ({"aud": None}, "its aud"),
    "no exp": ({"exp": None}, "its exp"),
    "over": ({"exp": 1_800_000_000 - 61}, "its exp has passed"),
    "too long": ({"exp": 1_800_000_000 + 3700}, "more than 3600 s"),
    "in milliseconds": ({"exp": 1_800_000_060_000}, "more than 3600 s"),
    "a boolean": ({"exp": True}, "not a number"),
    "not yet": ({"nbf": 1_800_000_000 + 61}, "its nbf lies in the future"),
    "made tomorrow": ({"iat": 1_800_000_000 + 61}, "its iat lies in the future"),
    "no jti": ({"jti": None}, "no jti"),
    "a long jti": ({"jti": "x" * 256}, "no jti"),
}


async def test_whoever_has_the_key_is_told_what_is_wrong_with_an_assertion(holder: Holder) -> None:
    for name, (claims, reason) in WRONG.items():
        body = await refused(holder.api, 401, "invalid_client", data=holder.form(**claims))
        assert reason in body["error_description"], name


async def test_the_issuer_is_an_audience_and_so_is_a_list_with_it(holder: Holder) -> None:
    await ask(holder.api, 200, data=holder.form(aud=ISSUER))
    await ask(holder.api, 200, data=holder.form(aud=["https://elsewhere.example", ISSUER]))


async def test_whoever_has_not_the_key_learns_nothing(holder: Holder) -> None:
    api, right = holder.api, KEYS["EdDSA"]
    forged = Holder(api, holder.id, ed25519.Ed25519PrivateKey.generate()).form(exp=1)
    unsigned = GRANT | {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": pyjwt.encode(holder.claims(), "", "none"),
    }
    secret = pyjwt.encode(holder.claims(), right.public_key().public_bytes_raw(), "HS256")
    other = [
        forged,
        unsigned,
        forged | {"client_assertion": secret},
        Holder(api, holder.id, RSA_KEY, "RS256").form(),
        holder.form(headers={"crit": ["exp"]}),
        holder.form(exp=math.inf),
        holder.form(exp=math.nan),
        holder.form(exp=10**400),
        Holder(api, "nobody", right).form(),
        Holder(api, ADMIN_ID, right).form(),
        forged | {"client_assertion": "a.b.c"},
        forged | {"client_assertion": "nothing"},
    ]
    bodies = [await refused(api, 401, "invalid_client", data=form) for form in other]
    assert len({body["error_description"] for body in bodies}) == 1


async def test_a_client_with_a_key_has_no_secret_and_one_way_is_enough(holder: Holder) -> None:
    api, form = holder.api, holder.form()
    for secret in ("", "None", "null"):
        await refused(api, 401, "invalid_client", data=GRANT, headers=basic(holder.id, secret))
    await refused(api, 400, "invalid_request", data=form, headers=basic(holder.id, "x"))
    await refused(api, 400, "invalid_request", data=form | {"client_secret": "x"})
    await refused(api, 400, "invalid_request", data=form | {"client_id": ADMIN_ID})
    await refused(api, 400, "invalid_request", data=form | {"client_assertion_type": "jwt"})
    await refused(api, 400, "invalid_request", data={**form, "client_assertion": "x" * 8193})
    await ask(api, 200, data=form | {"client_id": holder.id})


async def test_a_rotation_ends_the_tokens_of_the_key_or_secret_before(holder: Holder) -> None:
    api = holder.api
    token = (await ask(api, 200, data=holder.form()))[1]["access_token"]
    path = f"/v1/clients/{holder.id}/rotate"
    secret = (await (await api.ask("POST", path)).json())["clientSecret"]
    assert secret
    api.clock.now_s += 5
    assert (await api.http.get("/v1/events", headers={"Authorization": f"Bearer {token}"})).status == 401
    await refused(api, 401, "invalid_client", data=holder.form())
    await ask(api, 200, data=GRANT, headers=basic(holder.id, secret))
    rotated = await api.ask("POST", path, json={"publicKey": public(KEYS["ES256"])})
    assert (await rotated.json())["clientSecret"] is None
    await refused(api, 401, "invalid_client", data=GRANT, headers=basic(holder.id, secret))
    await ask(api, 200, data=Holder(api, holder.id, KEYS["ES256"], "ES256").form(jti="of the new key"))


async def test_assertions_that_fail_count_for_the_lock_out(start: Start) -> None:
    holder = await registered(await start(auth_failures=2))
    revoking = {"token": "x"} | {name: value for name, value in holder.form(exp=1).items() if name != "grant_type"}
    answers = [await holder.api.http.post("/oauth2/revoke", data=revoking) for _ in range(3)]
    assert [answer.status for answer in answers] == [401, 401, 429]


async def test_a_key_that_cannot_verify_is_refused_by_name(api: Api) -> None:
    asked = {"scopes": ["events:read"], "publicKey": private(KEYS["EdDSA"])}
    answer = await api.ask("POST", "/v1/clients", json=asked)
    (problem,) = (await answer.json())["errors"]
    assert (answer.status, problem["code"], problem["field"]) == (422, "invalid_public_key", "publicKey")
    assert "private" in problem["message"]
    listed = await (await api.ask("GET", "/v1/clients")).json()
    assert [one["publicKey"] for one in listed["data"]] == [None]


async def test_metadata_says_how_assertions_are_signed(api: Api) -> None:
    document = await (await api.http.get("/.well-known/oauth-authorization-server")).json()
    assert "private_key_jwt" in document["token_endpoint_auth_methods_supported"]
    assert document["token_endpoint_auth_signing_alg_values_supported"] == list(ALGORITHMS)
    assert (await ask(api, 200, data=GRANT, headers=basic(ADMIN_ID, ADMIN_SECRET)))[1]["scope"]
