"""Failures of client certificates and proxies, each in words and with its remedy. Tables only."""

from __future__ import annotations

import re

import aiohttp

Words = tuple[str, str]
"""The failure, and its remedy."""

PROXY_NOT_ALLOWED = "proxy_not_allowed"
PROXY_UNREADABLE = "proxy_unreadable"

SET_CERTIFICATE = "Set transport.clientCertificate and transport.privateKey to what the host expects."
_LET_IN = "Have the host trust the issuer of transport.clientCertificate, or set the certificate that it expects."
_RENEW = "Renew transport.clientCertificate."

_ALERTS: dict[str, Words] = {
    "CERTIFICATE_REQUIRED": ("the host wants a client certificate", SET_CERTIFICATE),
    "HANDSHAKE_FAILURE": ("the host broke off the TLS handshake: it may want a client certificate", SET_CERTIFICATE),
    "UNKNOWN_CA": ("the host does not know the issuer of the client certificate", _LET_IN),
    "BAD_CERTIFICATE": ("the host refuses the client certificate", _LET_IN),
    "UNSUPPORTED_CERTIFICATE": ("the host does not take client certificates of this kind", _LET_IN),
    "CERTIFICATE_REVOKED": ("the host refuses the client certificate as revoked", _RENEW),
    "CERTIFICATE_EXPIRED": ("the host refuses the client certificate as expired", _RENEW),
    "CERTIFICATE_UNKNOWN": ("the host refuses the client certificate", _LET_IN),
    "ACCESS_DENIED": ("the host refuses whom the client certificate names", _LET_IN),
    "DECRYPT_ERROR": ("the host refuses the client certificate", _LET_IN),
}
"""By the TLS alert that the host sent (RFC 8446 §6.2)."""
_ALERT = re.compile(r"\[SSL: [A-Z0-9_/]{0,64}ALERT_([A-Z_]{1,64})\]")

_PROXY_STATUSES: dict[int, str] = {
    403: "Let the proxy tunnel to this host and port.",
    407: "Set transport.proxyUsername and transport.proxyPassword to what the proxy expects.",
}
PROXY_REMEDY = "Start the proxy, and check transport.proxyUrl."
_PROXY_REFUSES = "See the proxy's log for why it cannot reach the host."


_BLOCKED: dict[str, str] = {
    PROXY_NOT_ALLOWED: "this deployment sends everything through its own proxy: take transport.proxyUrl out",
    PROXY_UNREADABLE: "transport.proxyUrl cannot be read: save it again",
}


def blocked_text(reason: str) -> str:
    """Explain a refused address or URL, by the reason that the guard gave."""
    default = f"the address is not allowed ({reason}): set DISPATCHER_ALLOW_NETWORKS if it is yours"
    return _BLOCKED.get(reason, default)


def client_certificate_refused(error: BaseException) -> Words | None:
    """Explain the host's TLS alert about our certificate; None when there was no such alert."""
    cause: BaseException | None = error
    while cause is not None:
        found = _ALERT.search(str(cause))
        if found and found[1] in _ALERTS:
            return _ALERTS[found[1]]
        cause = cause.__cause__
    return None


def proxy_refused(status: int) -> Words:
    """Explain an answer to CONNECT other than 200."""
    return f"the proxy answered {status} instead of connecting", _PROXY_STATUSES.get(status, _PROXY_REFUSES)


def described(error: BaseException) -> Words | None:
    """Explain a failure of a client certificate or a proxy. None = something else failed."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return proxy_refused(error.status)
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return "no connection to the proxy", PROXY_REMEDY
    return client_certificate_refused(error)
