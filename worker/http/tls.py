"""Makes the TLS context of a transport: its client certificate, and the authorities that it trusts.

The private key is written to a file only because OpenSSL reads keys from files, and only encrypted with a password
that never leaves this process; the file is gone before the context is used.
"""

from __future__ import annotations

import secrets
import ssl
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from dispatcher.model.integration import Transport
from dispatcher.policy.private_keys import load_private_key


class TransportUnusable(ValueError):
    """Certificates or a key that OpenSSL refuses. Save the transport again: saving says what is wrong."""


def tls_context(opened: Transport) -> ssl.SSLContext | None:
    """None = the system's. Blocks for some milliseconds. Raises ``TransportUnusable``.

    Given authorities are trusted instead of the system's, each as an end of the chain, be it a root or not.
    """
    if not (opened.client_certificate or opened.ca_certificates):
        return None
    try:
        context = ssl.create_default_context(cadata=opened.ca_certificates or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if opened.ca_certificates:
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if opened.client_certificate:
            _load(context, opened)
    except (ValueError, TypeError, ssl.SSLError):
        raise TransportUnusable("the transport's certificates or private key cannot be used: save them again") from None
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
