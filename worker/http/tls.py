"""Makes TLS contexts: the one that everybody shares, and that of a transport with its certificates and authorities.

They check alike on every Python. Since 3.13 a default context also asks for the form of RFC 5280
(``VERIFY_X509_STRICT``), which many private authorities and company proxies do not have, and trusts any certificate
that it is given as the end of a chain; before, it did neither. Here the form is never asked for, and a chain may end
early with given authorities only. What a chain has to prove stays: signatures, dates, names, the right to issue.

The private key is written to a file only because OpenSSL reads keys from files, and only encrypted with a password
that never leaves this process; the file is gone before the context is used.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from dispatcher.model.integration import Transport
from dispatcher.policy.secrets.private_keys import load_private_key

TLS_THREADS = 4
"""Contexts that are made at a time: tens of milliseconds of the processor each."""
THREAD_WITHIN_S = 1.0
"""Longest wait for such a thread."""


class TransportUnusable(ValueError):
    """Certificates or a key that OpenSSL refuses. Save the transport again: saving says what is wrong."""


def tls_context(opened: Transport) -> ssl.SSLContext | None:
    """None = the system's. Blocks for some milliseconds. Raises ``TransportUnusable``.

    Given authorities are trusted instead of the system's, each as an end of the chain, be it a root or not.
    """
    if not (opened.client_certificate or opened.ca_certificates):
        return None
    try:
        context = _context(opened.ca_certificates)
        if opened.client_certificate:
            _load(context, opened)
    except (ValueError, TypeError, ssl.SSLError):
        raise TransportUnusable("the transport's certificates or private key cannot be used: save them again") from None
    return context


@lru_cache(maxsize=1)
def public_context() -> ssl.SSLContext:
    """Trusts the system's authorities. Blocks for some milliseconds when it is first asked for."""
    return _context("")


def _context(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authorities or None)
    context.set_alpn_protocols(["http/1.1"])
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN)
    if authorities:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _load(context: ssl.SSLContext, opened: Transport) -> None:
    password = secrets.token_urlsafe(32)
    key = load_private_key(opened.private_key).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode())
    )
    with tempfile.TemporaryDirectory(prefix="dispatcher-") as folder:
        chain, private = Path(folder) / "chain.pem", Path(folder) / "key.pem"
        chain.write_text(opened.client_certificate)
        private.write_bytes(key)
        context.load_cert_chain(chain, private, password)
