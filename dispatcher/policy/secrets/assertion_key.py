"""Reads the private key of ``private_key_jwt`` and says what it signs with. Never keeps or prints it."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from dispatcher.policy.secrets.private_keys import MAX_KEY_CHARS, KeyTooCostly, check_rsa, load_private_key

AsymmetricKey = RSAKey | ECKey | OKPKey

_KINDS: dict[str, type[AsymmetricKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
RSA_ALGORITHMS = ("RS256", "PS256")
"""RFC 7518 §3.3 and §3.5; FAPI 2 asks for the second."""
_PRIME_FIELDS = ("p", "q", "dp", "dq", "qi")
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
_WANTED = "give a private RSA, EC (P-256, P-384, P-521) or Ed25519 key as PEM or JWK"


class KeyUnreadable(ValueError):
    """Not a key that can sign; the text says what is wanted and repeats nothing of the key."""


@dataclass(frozen=True, slots=True)
class AssertionKey:
    key: AsymmetricKey
    algorithm: str
    key_id: str | None


def read_assertion_key(text: str, rsa_algorithm: str | None = None) -> AssertionKey:
    """The key of a PEM (PKCS #8, PKCS #1, SEC 1) or JWK text; a JWK's ``alg`` and ``kid`` are honoured.

    ``rsa_algorithm``: of an RSA key that names none.
    """
    key = _from_jwk(text) if text.lstrip().startswith("{") else _from_pem(text)
    try:
        algorithm = str(key.get("alg") or _algorithm(key, rsa_algorithm))
    except KeyError:  # joserfc has no name for some curves that it reads
        algorithm = ""
    if not algorithm or not key.is_private:
        raise KeyUnreadable(_WANTED)
    return AssertionKey(key, algorithm, key.kid)


def _algorithm(key: AsymmetricKey, rsa_algorithm: str | None) -> str:
    return rsa_algorithm or "RS256" if isinstance(key, RSAKey) else _CURVES.get(str(key.curve_name), "")


def _from_jwk(text: str) -> AsymmetricKey:
    try:
        if len(text) > MAX_KEY_CHARS:
            raise KeyTooCostly
        fields = orjson.loads(text)
        if fields["kty"] == "RSA":
            _check_rsa(fields)
        return _KINDS[fields["kty"]].import_key(fields)
    except KeyUnreadable:
        raise
    except KeyTooCostly as error:
        raise KeyUnreadable(str(error)) from None
    except (JoseError, ValueError, TypeError, KeyError):
        raise KeyUnreadable(_WANTED) from None


def _check_rsa(fields: dict[str, str]) -> None:
    """``p`` to ``qi`` have to be there: to find the primes again takes long, and of a wrong key for ever."""
    if "d" in fields and not all(name in fields for name in _PRIME_FIELDS):
        raise KeyUnreadable("give the RSA key as JWK with p, q, dp, dq and qi (RFC 7518 §6.3.2), or as PEM")
    check_rsa(*(len(fields.get(name, "").rstrip("=")) * 6 & -8 for name in ("n", "p", "q")))


def _from_pem(text: str) -> AsymmetricKey:
    try:
        raw = load_private_key(text)
    except KeyTooCostly as error:
        raise KeyUnreadable(str(error)) from None
    except (ValueError, TypeError):
        raise KeyUnreadable(_WANTED) from None
    if isinstance(raw, RSAPrivateKey):
        return RSAKey(raw, text)
    if isinstance(raw, EllipticCurvePrivateKey):
        return ECKey(raw, text)
    if isinstance(raw, Ed25519PrivateKey):
        return OKPKey(raw, text)
    raise KeyUnreadable(_WANTED)
