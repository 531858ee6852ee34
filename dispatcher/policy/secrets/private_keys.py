"""Loads private keys that somebody else chose, at a cost that does not grow with their boldness. Never keeps one.

Checking an RSA key tests its primes: 30 ms at 2048 bits, 200 ms at 4096, minutes for what fits into 16,000 characters.
"""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MAX_KEY_CHARS = 4096
"""Of PEM or JWK; an RSA key of 4096 bits takes some 3,300."""
MAX_RSA_BITS = 4096
MIN_RSA_BITS = 2048
"""NIST SP 800-131A; RFC 7518 §3.3 demands it of RS256."""
_MAX_PRIME_BITS = MAX_RSA_BITS // 2


class KeyTooCostly(ValueError):
    """More work than a key may be; says what is allowed."""

    def __init__(self) -> None:
        super().__init__(f"give one of at most {MAX_KEY_CHARS} characters, and if it is RSA, of {MAX_RSA_BITS} bits")


def load_private_key(pem: str) -> PrivateKeyTypes:
    """``TypeError`` for an encrypted key, ``KeyTooCostly`` for a large one, ``ValueError`` for what is no key."""
    if len(pem) > MAX_KEY_CHARS:
        raise KeyTooCostly
    raw = pem.encode("utf-8", "surrogatepass")
    try:
        key = load_pem_private_key(raw, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, RSAPrivateKey):
            return key
        numbers = key.private_numbers()
        check_rsa(key.key_size, numbers.p.bit_length(), numbers.q.bit_length())
        return load_pem_private_key(raw, None)
    except UnsupportedAlgorithm:
        raise ValueError("a kind of key that is not known") from None


def check_rsa(modulus_bits: int, *prime_bits: int) -> None:
    """Raises ``KeyTooCostly`` for sizes whose check would take too long: a prime is half as long as the modulus."""
    if modulus_bits > MAX_RSA_BITS or any(bits > _MAX_PRIME_BITS for bits in prime_bits):
        raise KeyTooCostly
