"""Proves a client by a key of its own (RFC 7523 §2.2). What is signed is good once, for some minutes; keeps no copy."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GOOD_FOR_S = 300
_WANTED = "give a private RSA, P-256 or Ed25519 key as PEM, without a passphrase"

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class KeyCredentials:
    """``audience``: the token endpoint as the API calls it; None = the URL that it is called at."""

    client_id: str
    algorithm: str
    sign: Sign
    audience: str | None = None

    @classmethod
    def of(cls, client_id: str, pem: str, audience: str | None = None) -> KeyCredentials:
        """Raises ``ValueError`` for what is no key that could sign; the text repeats nothing of it."""
        return cls(client_id, *_signer(pem), audience)

    def asked(self, token_url: str) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and fields that a token request shows."""
        assertion = self._assertion(self.audience or token_url)
        return {}, {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}

    def _assertion(self, audience: str) -> str:
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": audience,
            "exp": int(time.time()) + GOOD_FOR_S,
            "jti": str(uuid.uuid4()),
        }
        signed = f"{_part({'alg': self.algorithm, 'typ': 'JWT'})}.{_part(claims)}"
        return f"{signed}.{_encoded(self.sign(signed.encode()))}"


def _signer(pem: str) -> tuple[str, Sign]:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(_WANTED) from None
    if isinstance(key, RSAPrivateKey):
        return "RS256", lambda text: key.sign(text, PKCS1v15(), SHA256())
    if isinstance(key, Ed25519PrivateKey):
        return "EdDSA", key.sign
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return "ES256", lambda text: _fixed(key.sign(text, ECDSA(SHA256())))
    raise ValueError(_WANTED)


def _fixed(signature: bytes) -> bytes:
    """Of DER the two numbers (RFC 7518 §3.4)."""
    return b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))


def _part(value: object) -> str:
    return _encoded(orjson.dumps(value))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
