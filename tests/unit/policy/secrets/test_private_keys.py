"""Private keys that publishers give: which are loaded, and which are refused before they cost anything."""

from __future__ import annotations

import base64
import json
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_curve_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers, generate_private_key
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from dispatcher.flow.integrations.fields.private_keys import private_key_problem
from dispatcher.policy.secrets.assertion_key import KeyUnreadable, read_assertion_key
from dispatcher.policy.secrets.private_keys import (
    MAX_KEY_CHARS,
    MAX_RSA_BITS,
    KeyTooCostly,
    check_rsa,
    load_private_key,
)

RSA = generate_private_key(65537, 2048)
WIDEST = ("p", "q", "dp", "dq", "qi")


def pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def odd(bits: int) -> int:
    return 1 << (bits - 1) | secrets.randbits(bits - 1) | 1


def spelled(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


def rsa_of(prime_bits: int, other_bits: int) -> str:
    """Numbers in the place of a key: to find out that they are none is what takes long."""
    p, q = odd(prime_bits), odd(other_bits)
    numbers = RSAPrivateNumbers(p, q, odd(900), odd(500), odd(500), odd(500), RSAPublicNumbers(65537, p * q))
    return pem(numbers.private_key(unsafe_skip_rsa_key_validation=True))


def jwk(bits: int, *left_out: str) -> str:
    fields = {"n": spelled(odd(bits)), "e": "AQAB", "d": spelled(odd(bits))}
    fields |= {name: spelled(odd(bits // 2)) for name in WIDEST}
    return json.dumps({"kty": "RSA", **{name: value for name, value in fields.items() if name not in left_out}})


@pytest.mark.parametrize("key", [RSA, new_curve_key(SECP256R1()), Ed25519PrivateKey.generate()])
def test_ordinary_keys_are_loaded_and_sign(key: PrivateKeyTypes) -> None:
    assert pem(load_private_key(pem(key))) == pem(key)
    assert read_assertion_key(pem(key)).key.is_private
    assert private_key_problem(pem(key), "privateKey") is None
    whole = json.dumps(read_assertion_key(pem(key)).key.as_dict(private=True))
    assert private_key_problem(whole, "privateKey") is None


@pytest.mark.parametrize(("prime_bits", "other_bits"), [(2049, 1900), (3000, 900), (4000, 100), (2300, 2300)])
def test_rsa_keys_whose_primes_take_long_to_test_are_refused_untested(prime_bits: int, other_bits: int) -> None:
    text = rsa_of(prime_bits, other_bits)
    with pytest.raises(KeyTooCostly, match=f"{MAX_RSA_BITS} bits"):
        load_private_key(text)
    with pytest.raises(KeyUnreadable, match=f"{MAX_RSA_BITS} bits"):
        read_assertion_key(text)


@pytest.mark.parametrize("bits", [8192, 40_000])
def test_a_jwk_without_its_primes_is_refused_and_no_time_spent_on_finding_them(bits: int) -> None:
    """One of 8,000 characters stopped the API for 80 s."""
    with pytest.raises(KeyUnreadable):
        read_assertion_key(jwk(bits, *WIDEST))
    with pytest.raises(KeyUnreadable, match="p, q, dp, dq and qi"):
        read_assertion_key(jwk(2048, *WIDEST))
    with pytest.raises(KeyUnreadable, match="p, q, dp, dq and qi"):
        read_assertion_key(jwk(2048, "qi"))


def test_a_large_jwk_is_refused_by_its_numbers() -> None:
    check_rsa(MAX_RSA_BITS, MAX_RSA_BITS // 2, MAX_RSA_BITS // 2)
    with pytest.raises(KeyUnreadable, match=f"{MAX_RSA_BITS} bits"):
        read_assertion_key(jwk(4200))
    with pytest.raises(KeyUnreadable, match="give a private RSA"):
        read_assertion_key(jwk(2048))


def test_keys_of_every_kind_are_bounded_by_their_length() -> None:
    """The public half of a DSA key is computed when it is loaded: 2 s for one of 10,000 characters."""
    with pytest.raises(KeyTooCostly):
        load_private_key(f"-----BEGIN PRIVATE KEY-----\n{'A' * MAX_KEY_CHARS}\n-----END PRIVATE KEY-----\n")


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "\ud800"])
def test_what_is_no_key_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        load_private_key(text)


def test_the_largest_key_that_is_taken_fits_into_the_characters() -> None:
    p = (1 << MAX_RSA_BITS // 2) - 1  # the largest, so that no private exponent is larger than the modulus
    numbers = RSAPrivateNumbers(p, p, p * p - 2, odd(2048), odd(2048), odd(2048), RSAPublicNumbers(65537, p * p))
    text = pem(numbers.private_key(unsafe_skip_rsa_key_validation=True))
    assert len(text) < MAX_KEY_CHARS
    assert len(jwk(MAX_RSA_BITS)) < MAX_KEY_CHARS
    load_pem_private_key(text.encode(), None, unsafe_skip_rsa_key_validation=True)
