"""Reads public keys of API clients that prove themselves with ``private_key_jwt`` (RFC 7523). Keeps nothing private."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from dispatcher.policy.secrets.assertion_key import AsymmetricKey, KeyUnreadable
from dispatcher.policy.secrets.private_keys import MAX_KEY_CHARS, MAX_RSA_BITS, MIN_RSA_BITS

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""The last two are one: RFC 9864 gave it the second name."""
_OF_KIND = {"RSA": ("RS256", "PS256"), "P-256": ("ES256",), "Ed25519": ("EdDSA", "Ed25519")}
_KINDS: dict[str, type[AsymmetricKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_PUBLIC = ("kty", "n", "e", "crv", "x", "y", "alg", "kid")
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_MAX_EXPONENT_BITS = 32
"""Verifying costs as much as the exponent is long."""
_SMALL_ORDER = frozenset(
    bytes.fromhex(one)
    for one in (
        "00" * 32,
        "01" + "00" * 31,
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        *(low + "ff" * 30 + "7f" for low in ("ec", "ed", "ee")),
    )
)
"""Points of Ed25519 whose order divides 8, without the sign of x: with one as its key anybody's signature verifies."""
_MAX_ID_CHARS = 255
_SIZES = f"{MIN_RSA_BITS} to {MAX_RSA_BITS} bits"
_WANTED = f"give the public part of an RSA key ({_SIZES}), a P-256 or an Ed25519 key, as PEM or JWK"
_PRIVATE_GIVEN = "this is a private key, which stays with the client: " + _WANTED
_CERTIFICATE = "this is a certificate: give its key, as `openssl x509 -pubkey -noout` prints it"


@dataclass(frozen=True, slots=True)
class ClientKey:
    """``algorithms``: what its assertions may be signed with; ``jwk``: the key as it is kept and shown."""

    key: AsymmetricKey
    algorithms: tuple[str, ...]
    jwk: dict[str, Any]


def read_client_key(text: str) -> ClientKey:
    """The key of a PEM or JWK text. Raises ``KeyUnreadable`` for any other, private and secret ones too."""
    if len(text) > MAX_KEY_CHARS:
        raise KeyUnreadable(f"give one of at most {MAX_KEY_CHARS} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of short keys, which get an answer instead
            key = _from_jwk(text) if text.lstrip().startswith("{") else _from_pem(text)
            return _checked(key)
    except KeyUnreadable:
        raise
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        raise KeyUnreadable(_WANTED) from None


def kept_key(text: str) -> str:
    """The key as a record keeps it: a JWK with a ``kid``, in one spelling. Raises ``KeyUnreadable``."""
    return orjson.dumps(read_client_key(text).jwk, option=orjson.OPT_SORT_KEYS).decode()


def _checked(key: AsymmetricKey) -> ClientKey:
    raw = key.raw_value
    if isinstance(raw, RSAPublicKey) and not MIN_RSA_BITS <= raw.key_size <= MAX_RSA_BITS:
        raise KeyUnreadable(f"an RSA key has {_SIZES}, this one {raw.key_size}")
    if isinstance(raw, RSAPublicKey) and raw.public_numbers().e.bit_length() > _MAX_EXPONENT_BITS:
        raise KeyUnreadable(f"the exponent of an RSA key has at most {_MAX_EXPONENT_BITS} bits")
    if isinstance(raw, Ed25519PublicKey) and _has_small_order(raw):
        raise KeyUnreadable("this Ed25519 key is no key: anybody could sign for it")
    algorithms = _OF_KIND.get("RSA" if isinstance(key, RSAKey) else str(key.curve_name), ())
    if named := key.get("alg"):
        algorithms = tuple(one for one in algorithms if one == named)
    if not algorithms:
        raise KeyUnreadable(_WANTED)
    jwk = {name: value for name, value in key.as_dict(private=False).items() if name in _PUBLIC}
    return ClientKey(key, algorithms, jwk | {"kid": jwk.get("kid") or key.thumbprint()})


def _has_small_order(key: Ed25519PublicKey) -> bool:
    point = key.public_bytes_raw()
    return point[:-1] + bytes([point[-1] & 0x7F]) in _SMALL_ORDER


def _from_jwk(text: str) -> AsymmetricKey:
    fields = orjson.loads(text)
    if any(name in fields for name in _PRIVATE):
        raise KeyUnreadable(_PRIVATE_GIVEN)
    if fields.get("use", "sig") != "sig":
        raise KeyUnreadable("the key is for encryption: give one with the use sig")
    if not _is_id(fields.get("kid", "-")):
        raise KeyUnreadable(f"a kid has 1 to {_MAX_ID_CHARS} printable characters")
    return _KINDS[fields["kty"]].import_key({name: fields[name] for name in _PUBLIC if name in fields})


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_ID_CHARS and value.isprintable()


def _from_pem(text: str) -> AsymmetricKey:
    if "PRIVATE KEY-----" in text:
        raise KeyUnreadable(_PRIVATE_GIVEN)
    if "-----BEGIN CERTIFICATE-----" in text:
        raise KeyUnreadable(_CERTIFICATE)
    raw = load_pem_public_key(text.encode("utf-8", "surrogatepass"))
    if isinstance(raw, RSAPublicKey):
        return RSAKey(raw, text)
    if isinstance(raw, EllipticCurvePublicKey):
        return ECKey(raw, text)
    if isinstance(raw, Ed25519PublicKey):
        return OKPKey(raw, text)
    raise KeyUnreadable(_WANTED)
