"""ID tokens of OpenID Connect: whatever does not hold is refused."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from dispatcher.console.oidc.id_token import TokenRefused, UnknownKey, claims_of

NOW_S = 1_800_000_000
KEY = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
GOOD = {"iss": "https://i.example", "aud": "us", "sub": "u-1", "iat": NOW_S, "exp": NOW_S + 300, "nonce": "n"}


def checked(claims: dict[str, Any], key: Any = KEY, algorithm: str = "ES256", kid: str | None = KEY.kid) -> Any:
    kept = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": algorithm} | ({"kid": kid} if kid else {})
    token = jwt.encode(header, kept, key, algorithms=[algorithm])
    return claims_of(
        token,
        KeySet([KEY]),
        issuer="https://i.example",
        client_id="us",
        nonce="n",
        access_token="at",
        now_s=NOW_S,
    )


def test_a_good_token_is_read() -> None:
    assert checked(GOOD)["sub"] == "u-1"
    assert checked(GOOD, kid=None)["sub"] == "u-1"
    assert checked(GOOD | {"aud": ["us", "other"], "azp": "us", "exp": NOW_S - 50})["sub"] == "u-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "x"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "somebody"},
        {"aud": ["us", "other"], "azp": "other"},
        {"azp": "other"},
        {"exp": NOW_S - 61},
        {"exp": None},
        {"iat": NOW_S + 61},
        {"iat": None},
        {"nbf": NOW_S + 61},
        {"sub": None},
        {"sub": 7},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": "a\nb"},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_claims_that_do_not_hold_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        checked(GOOD | changed)


def test_signatures_of_others_are_refused() -> None:
    with pytest.raises(TokenRefused):
        checked(GOOD, ECKey.generate_key("P-256"))
    with pytest.raises(TokenRefused):
        checked(GOOD, OctKey.import_key("x" * 48), "HS256")
    with pytest.raises(UnknownKey):
        checked(GOOD, ECKey.generate_key("P-256"), kid="another")
    for text in ("", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."):
        with pytest.raises(TokenRefused):
            claims_of(text, KeySet([KEY]), issuer="i", client_id="us", nonce="n", access_token=None, now_s=NOW_S)
