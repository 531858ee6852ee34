"""Rules of an integration's transport: certificates, their key and a proxy. Pure; contacts nothing.

Problems refuse a change; warnings go with it, because a certificate may be put in before it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cryptography import x509

from dispatcher.clock import DAY_MS
from dispatcher.errors import Problem
from dispatcher.flow.integrations.fields.kind import UrlRule
from dispatcher.model.integration import AuthMethod, CredentialType, OutboundCredentials, Revision, Transport
from dispatcher.policy.addresses.proxies import read_proxy
from dispatcher.policy.secrets.certificates import (
    certificate_facts,
    first_out_of_order,
    fits,
    is_for_clients,
    is_weak,
    issuing_problem,
    read_certificates,
)
from dispatcher.policy.secrets.private_keys import KeyTooCostly, load_private_key

MAX_CHAIN = 10
MAX_AUTHORITIES = 50
MAX_PEM_CHARS = 65_536
MAX_CREDENTIAL_CHARS = 255
SOON_MS = 14 * DAY_MS

CERTIFICATE_FIELD = "transport.clientCertificate"
KEY_FIELD = "transport.privateKey"
CA_FIELD = "transport.caCertificates"
PROXY_FIELD = "transport.proxyUrl"

_NO_CERTIFICATE = "This is no X.509 certificate in PEM form (-----BEGIN CERTIFICATE-----)."
_KEY_BESIDE = (
    "There is a private key among the certificates, which are shown as they are: put the client certificate's into "
    "privateKey, where it is sealed, and leave out any other."
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def transport_problems(opened: Transport, url_rule: UrlRule) -> Iterator[Problem]:
    """Everything wrong with a transport whose secrets are open; no text repeats anything of them."""
    yield from _certificate_problems(opened)
    if opened.ca_certificates:
        yield from _readable(opened.ca_certificates, CA_FIELD, MAX_AUTHORITIES)
    yield from _proxy_problems(opened, url_rule)


def bound_problems(credentials: OutboundCredentials, transport: Transport) -> Iterator[Problem]:
    """Credentials that are bound to a certificate (RFC 8705 §2) without one, or without TLS to show it in."""
    if credentials.type is not CredentialType.OAUTH2 or not credentials.auth_method.by_certificate:
        return
    if not transport.client_certificate:
        text = f"{AuthMethod(credentials.auth_method).value} needs transport.clientCertificate with its privateKey."
        yield Problem("required", text, CERTIFICATE_FIELD)
    if credentials.token_uri.lower().startswith("http:"):
        text = "A client certificate is only shown over https://: change tokenUri."
        yield Problem("url_not_allowed", text, "outboundCredentials.tokenUri")


def transport_warnings(revision: Revision, now_ms: int) -> list[str]:
    """Certificates that are accepted and may fail: expired, not valid yet, expiring, or made for something else."""
    transport = revision.transport
    own = read_certificates(transport.client_certificate) if transport.client_certificate else []
    authorities = read_certificates(transport.ca_certificates) if transport.ca_certificates else []
    texts = [*_dates(own, "clientCertificate", now_ms), *_dates(authorities, "caCertificates", now_ms)]
    if own and not is_for_clients(own[0]):
        texts.append("transport.clientCertificate is not meant for TLS clients (extended key usage): hosts refuse it.")
    return [*texts, *_not_issuing(authorities)]


def _not_issuing(authorities: Sequence[x509.Certificate]) -> Iterator[str]:
    for position, one in enumerate(authorities, start=1):
        if why := issuing_problem(one):
            subject = certificate_facts(one).subject[:100]
            yield (
                f"Certificate {position} of transport.caCertificates ({subject}) may not issue others: {why}. "
                "Only a host that shows this very certificate is trusted."
            )


def _certificate_problems(opened: Transport) -> Iterator[Problem]:
    if opened.private_key and not opened.client_certificate:
        yield Problem("required", "Give the certificate that belongs to the private key.", CERTIFICATE_FIELD)
    if not opened.client_certificate:
        return
    chain: list[x509.Certificate] = []
    yield from _readable(opened.client_certificate, CERTIFICATE_FIELD, MAX_CHAIN, chain)
    if (position := first_out_of_order(chain)) is not None:
        text = (
            f"Certificate {position + 1} is not the issuer of certificate {position}: "
            "give the client's own first, then each one's issuer."
        )
        yield Problem("invalid_certificate", text, CERTIFICATE_FIELD)
    if not opened.private_key:
        yield Problem("required", "Give the private key of the client certificate.", KEY_FIELD)
    elif chain:
        yield from _key_problems(opened.private_key, chain[0])


def _readable(pem: str, field: str, most: int, found: list[x509.Certificate] | None = None) -> Iterator[Problem]:
    """Problems of the certificates in ``pem``, which are put into ``found``."""
    if len(pem) > MAX_PEM_CHARS:
        yield Problem("too_long", f"At most {MAX_PEM_CHARS} characters of PEM.", field)
        return
    try:
        certificates = read_certificates(pem)
    except ValueError:
        text = _NO_CERTIFICATE if "PRIVATE KEY" not in pem.upper() else _KEY_BESIDE
        yield Problem("invalid_certificate", text, field)
        return
    if found is not None:
        found.extend(certificates[:most])
    if len(certificates) > most:
        yield Problem("limit_reached", f"At most {most} certificates.", field)
    for position, one in enumerate(certificates[:most], start=1):
        if is_weak(one):
            text = (
                f"Certificate {position} is too weak: use RSA from 2048 bits, an elliptic curve or Ed25519, "
                "signed with SHA-256 or better."
            )
            yield Problem("invalid_certificate", text, field)


def _key_problems(pem: str, certificate: x509.Certificate) -> Iterator[Problem]:
    try:
        key = load_private_key(pem)
    except KeyTooCostly as error:
        yield Problem("invalid_private_key", f"The private key is too large: {error}.", KEY_FIELD)
    except TypeError:
        text = "The private key is encrypted: give it decrypted (openssl pkey -in key.pem); it is sealed here."
        yield Problem("invalid_private_key", text, KEY_FIELD)
    except ValueError:
        yield Problem("invalid_private_key", "Give an unencrypted private key as PEM.", KEY_FIELD)
    else:
        if not fits(key, certificate):
            text = "The private key does not belong to the first certificate of clientCertificate."
            yield Problem("invalid_private_key", text, KEY_FIELD)


def _proxy_problems(opened: Transport, url_rule: UrlRule) -> Iterator[Problem]:
    if not opened.proxy_url:
        if opened.proxy_username or opened.proxy_password:
            yield Problem("required", "Give the proxy that the user name and password are for.", PROXY_FIELD)
        return
    address = read_proxy(opened.proxy_url)
    if isinstance(address, str):
        yield Problem("invalid_url", f"The proxy's URL cannot be used: {address}.", PROXY_FIELD)
    elif problem := url_rule(opened.proxy_url, PROXY_FIELD):
        yield problem
    named = {"proxyUsername": opened.proxy_username, "proxyPassword": opened.proxy_password}
    for name, text in named.items():
        if len(text) > MAX_CREDENTIAL_CHARS or _CONTROL.search(text):
            rule = f"{name} has at most {MAX_CREDENTIAL_CHARS} printable characters."
            yield Problem("invalid_text", rule, f"transport.{name}")
    if ":" in opened.proxy_username:
        yield Problem("invalid_text", "A user name for Basic has no colon (RFC 7617 §2).", "transport.proxyUsername")


def _dates(certificates: Sequence[x509.Certificate], name: str, now_ms: int) -> Iterator[str]:
    for position, one in enumerate(certificates, start=1):
        facts = certificate_facts(one)
        which = f"Certificate {position} of transport.{name} ({facts.subject[:100]})"
        if facts.not_after_ms <= now_ms:
            yield f"{which} has expired: renew it."
        elif facts.not_before_ms > now_ms:
            yield f"{which} is not valid yet."
        elif facts.not_after_ms - now_ms < SOON_MS:
            yield f"{which} ends within {SOON_MS // DAY_MS} days: renew it."
