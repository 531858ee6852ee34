"""Public keys of API clients: what is taken, how it is kept, what is refused and how."""

from __future__ import annotations

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from dispatcher.policy.secrets.assertion_key import KeyUnreadable
from dispatcher.policy.secrets.client_key import kept_key, read_client_key
from dispatcher.policy.secrets.private_keys import MAX_KEY_CHARS

RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def public_pem(key: Private) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: Private) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def jwk(key: RSAKey | ECKey | OKPKey | OctKey, *, private: bool = False, **more: object) -> str:
    return orjson.dumps(dict(key.as_dict(private=private)) | more).decode()


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [(RSA, ("RS256", "PS256")), (P256, ("ES256",)), (ED, ("EdDSA", "Ed25519"))],
    ids=["rsa", "ec", "ed"],
)
def test_a_public_key_is_kept_as_one_jwk_whichever_way_it_was_given(key: Private, algorithms: tuple[str, ...]) -> None:
    kept = kept_key(public_pem(key))
    assert read_client_key(kept).algorithms == algorithms
    assert kept_key(kept) == kept
    assert orjson.loads(kept)["kid"]
    assert not {"d", "p", "q"} & set(orjson.loads(kept))


def test_a_jwk_keeps_its_kid_and_narrows_to_its_alg() -> None:
    key = read_client_key(jwk(RSAKey(RSA, RSA), kid="mine", alg="PS256", use="sig", key_ops=["verify"], x5t="-"))
    assert key.algorithms == ("PS256",)
    assert (key.jwk["kid"], "x5t" in key.jwk, "use" in key.jwk) == ("mine", False, False)


REFUSED = {
    "private PEM": (private_pem(ED), "private key, which stays with the client"),
    "private JWK": (jwk(OKPKey(ED, ED), private=True), "private key, which stays with the client"),
    "shared secret": (jwk(OctKey.generate_key(256), private=True), "private key"),
    "certificate": ("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----", "x509 -pubkey"),
    "short RSA": (public_pem(rsa.generate_private_key(65537, 1024)), "2048 to 4096 bits, this one 1024"),
    "long exponent": (jwk(RSAKey(RSA, RSA), e="AQAAAAAAAAAB"), "exponent"),
    "other curve": (public_pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
    "unnamed curve": (public_pem(ec.generate_private_key(ec.BrainpoolP256R1())), "P-256"),
    "point beside the curve": (jwk(ECKey(P256, P256), y="AAAA"), "give the public part"),
    "other alg": (jwk(OKPKey(ED, ED), alg="RS256"), "give the public part"),
    "for encryption": (jwk(RSAKey(RSA, RSA), use="enc"), "for encryption"),
    "odd kid": (jwk(RSAKey(RSA, RSA), kid=7), "kid"),
    "identity": (jwk(OKPKey(ED, ED), x="AQ" + "A" * 41), "anybody could sign"),
    "small order": (jwk(OKPKey(ED, ED), x="JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU"), "anybody could sign"),
    "no key": ("hello", "give the public part"),
    "half a JWK": ('{"kty": "RSA", "n": 1}', "give the public part"),
    "no kind": ("{}", "give the public part"),
    "too long": ("-" * (MAX_KEY_CHARS + 1), "at most 4096 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_verify_is_refused_with_what_to_do(case: str) -> None:
    text, reason = REFUSED[case]
    with pytest.raises(KeyUnreadable, match=reason):
        read_client_key(text)
