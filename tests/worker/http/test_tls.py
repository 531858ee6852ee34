"""TLS contexts check alike on every Python, and authorities that will fail are known as OpenSSL knows them."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from dispatcher.model.integration import Transport
from dispatcher.policy.secrets.certificates import issuing_problem
from tests.tls_parts import LOOPBACK, Identity, issue, server_context, tls_host
from worker.http.aiohttp_inside.session import guarded_session
from worker.http.tls import public_context, tls_context

PLAIN_DEFAULT = ssl.create_default_context


def strict_default(cadata: str | None = None) -> ssl.SSLContext:
    """As Python 3.13 and later make it."""
    context = PLAIN_DEFAULT(cadata=cadata)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def lax_default(cadata: str | None = None) -> ssl.SSLContext:
    """As Python made it before 3.13."""
    context = PLAIN_DEFAULT(cadata=cadata)
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    return context


PYTHONS = pytest.mark.parametrize("default", [strict_default, lax_default], ids=["from 3.13", "before 3.13"])


def authority(*extensions: tuple[x509.ExtensionType, bool]) -> Identity:
    """Signed by itself, with these extensions and their criticality and no others."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=30))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Identity(builder.sign(key, hashes.SHA256()), key)


def usage(key_cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(True, False, False, False, False, key_cert_sign, False, False, False)


CA, NO_CA = x509.BasicConstraints(True, None), x509.BasicConstraints(False, None)
AUTHORITIES: dict[str, tuple[tuple[tuple[x509.ExtensionType, bool], ...], str | None]] = {
    "of RFC 5280": (((CA, True), (usage(True), True)), None),
    "basicConstraints that are not critical": (((CA, False),), None),
    "no key usage and no key identifiers": (((CA, True),), None),
    "key usage alone": (((usage(True), True),), None),
    "a path length": (((x509.BasicConstraints(True, 0), True),), None),
    "CA:FALSE": (((NO_CA, True),), "its basicConstraints say CA:FALSE"),
    "CA:FALSE and keyCertSign": (((NO_CA, True), (usage(True), True)), "its basicConstraints say CA:FALSE"),
    "no keyCertSign": (((CA, True), (usage(False), True)), "its key usage leaves out keyCertSign"),
    "no extension": ((), "it has no basicConstraints"),
}


def shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> bool:
    """Without a socket: whether the client trusts what the server shows for 127.0.0.1."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(6):
        for side in (asking, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return asking.version() is not None


@PYTHONS
@pytest.mark.parametrize("kind", AUTHORITIES)
def test_a_private_authority_is_trusted_alike_on_every_python_and_one_that_fails_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, default: Callable[..., ssl.SSLContext]
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", default)
    extensions, problem = AUTHORITIES[kind]
    made = authority(*extensions)
    context = tls_context(Transport(ca_certificates=made.pem))
    assert context is not None
    trusted = shakes_hands(context, server_context(tmp_path, issue("shop", made)))
    assert issuing_problem(made.certificate) == problem
    assert trusted is (problem is None)


@PYTHONS
def test_a_certificate_that_may_issue_nothing_is_trusted_where_a_host_shows_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, default: Callable[..., ssl.SSLContext]
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", default)
    names = x509.SubjectAlternativeName([x509.IPAddress(LOOPBACK)])
    pinned = authority((NO_CA, True), (names, False))
    context = tls_context(Transport(ca_certificates=pinned.pem))
    assert context is not None
    assert shakes_hands(context, server_context(tmp_path, pinned))


@PYTHONS
def test_the_context_that_everybody_shares_decides_its_flags_itself(
    monkeypatch: pytest.MonkeyPatch, default: Callable[..., ssl.SSLContext]
) -> None:
    monkeypatch.setattr(ssl, "create_default_context", default)
    public_context.cache_clear()
    try:
        flags = public_context().verify_flags
    finally:
        public_context.cache_clear()
    assert not flags & (ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)


async def test_the_shared_session_uses_that_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = authority((CA, False))
    monkeypatch.setattr(ssl, "create_default_context", lambda cadata=None: strict_default(made.pem))
    public_context.cache_clear()
    try:
        async with (
            tls_host(server_context(tmp_path, issue("shop", made))) as host,
            guarded_session(lambda _: None) as session,
        ):
            assert (await session.post(host.url(), b"{}", {}, timeout_s=20)).status == 200
    finally:
        public_context.cache_clear()
