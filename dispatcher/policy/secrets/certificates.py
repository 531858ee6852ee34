"""Reads X.509 certificates of integrations: who they name, how long they hold, whether they make a chain.

Pure: trusts nothing by itself, knows no clock, and never touches a private key but to compare it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

MIN_RSA_BITS: Final = 2048
MIN_CURVE_BITS: Final = 224
_WEAK_HASHES = (MD5, SHA1)


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """The public facts of a certificate. ``fingerprint`` is the SHA-256 of its DER form, in hexadecimal."""

    subject: str
    issuer: str
    fingerprint: str
    not_before_ms: int
    not_after_ms: int


def read_certificates(pem: str) -> list[x509.Certificate]:
    """Every certificate of a PEM text, in order. ``ValueError`` when there is none, or one that cannot be read.

    A private key beside them is an error too: certificates are kept, shown and audited as they are.
    """
    if "PRIVATE KEY" in pem.upper():
        raise ValueError("a private key among the certificates")
    try:
        found = x509.load_pem_x509_certificates(pem.encode("utf-8", "surrogatepass"))
        for one in found:
            certificate_facts(one)
            one.public_key()
    except (x509.InvalidVersion, UnsupportedAlgorithm):
        raise ValueError("a kind of certificate that is not known") from None
    return found


def certificate_facts(certificate: x509.Certificate) -> CertificateFacts:
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        fingerprint=certificate.fingerprint(SHA256()).hex(),
        not_before_ms=_ms(certificate.not_valid_before_utc),
        not_after_ms=_ms(certificate.not_valid_after_utc),
    )


def fits(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """True for the certificate of this key."""
    return _spelled(key.public_key()) == _spelled(certificate.public_key())


def is_weak(certificate: x509.Certificate) -> bool:
    """A key below 112 bits of strength, of a kind that TLS no longer takes, or a signature with MD5 or SHA-1."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        weak_key = key.key_size < MIN_RSA_BITS
    elif isinstance(key, ec.EllipticCurvePublicKey):
        weak_key = key.curve.key_size < MIN_CURVE_BITS
    else:
        weak_key = not isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)
    signed_by_itself = certificate.subject == certificate.issuer
    return weak_key or (not signed_by_itself and isinstance(certificate.signature_hash_algorithm, _WEAK_HASHES))


def first_out_of_order(chain: Sequence[x509.Certificate]) -> int | None:
    """Position of the first certificate that did not sign the one before it; None = each did."""
    for position, (one, issuer) in enumerate(pairwise(chain), start=1):
        try:
            one.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return position
    return None


def is_for_clients(certificate: x509.Certificate) -> bool:
    """True unless its extended key usage keeps it from proving a TLS client (RFC 5280 §4.2.1.12)."""
    usages = _extension(certificate, x509.ExtendedKeyUsage)
    if usages is None:
        return True
    return any(one in usages for one in (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))


def issuing_problem(certificate: x509.Certificate) -> str | None:
    """The reason why nothing it signed is trusted (RFC 5280 §4.2.1.3, §4.2.1.9), as OpenSSL has it, or None."""
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return "its key usage leaves out keyCertSign"
    if constraints is not None:
        return None if constraints.ca else "its basicConstraints say CA:FALSE"
    if usage is not None or certificate.version is x509.Version.v1:
        return None
    return "it has no basicConstraints"


E = TypeVar("E", bound=x509.ExtensionType)


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None


def _spelled(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
