"""Reads the private key of ``private_key_jwt`` and says what it signs with. Never keeps or prints it."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

AsymmetricKey = RSAKey | ECKey | OKPKey

_KINDS: dict[str, type[AsymmetricKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_WANTED = "give a private RSA, EC (P-256, P-384, P-521) or Ed25519 key as PEM or JWK"


class KeyUnreadable(ValueError):
    """Not a key that can sign; the text says what is wanted and repeats nothing of the key."""


@dataclass(frozen=True, slots=True)
class AssertionKey:
    key: AsymmetricKey
    algorithm: str
    key_id: str | None


def read_assertion_key(text: str) -> AssertionKey:
    """The key of a PEM (PKCS #8, PKCS #1, SEC 1) or JWK text; a JWK's ``alg`` and ``kid`` are honoured."""
    key = _from_jwk(text) if text.lstrip().startswith("{") else _from_pem(text)
    try:
        algorithm = str(key.get("alg") or _algorithm(key))
    except KeyError:  # joserfc has no name for some curves that it reads
        algorithm = ""
    if not algorithm or not key.is_private:
        raise KeyUnreadable(_WANTED)
    return AssertionKey(key, algorithm, key.kid)


def _algorithm(key: AsymmetricKey) -> str:
    return "RS256" if isinstance(key, RSAKey) else _CURVES.get(str(key.curve_name), "")


def _from_jwk(text: str) -> AsymmetricKey:
    try:
        fields = orjson.loads(text)
        return _KINDS[fields["kty"]].import_key(fields)
    except (JoseError, ValueError, TypeError, KeyError):
        raise KeyUnreadable(_WANTED) from None


def _from_pem(text: str) -> AsymmetricKey:
    for kind in _KINDS.values():
        try:
            return kind.import_key(text)
        except (JoseError, ValueError, TypeError):
            continue
    raise KeyUnreadable(_WANTED)
