"""Texts of ping steps: each failure with its remedy. Tables only; decides nothing."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from typing import Any

from dispatcher.model.attempt import Outcome
from dispatcher.model.ping import CheckName, PingStep, StepName
from worker.http.words import PROXY_NOT_ALLOWED, PROXY_UNREADABLE, SET_CERTIFICATE, client_certificate_refused

Words = tuple[str, str | None]
"""The failure, and its remedy."""

RENEW_WITHIN_DAYS = 14
DAY_S = 86_400

DNS_REMEDY = "Check the host name for typing errors, and that its DNS record is public."
CONNECT_REMEDY = "Start the host, open its firewall for this port, and check host and port in the URL."
CHECK_HOST = "Correct the URL: http:// or https://, a host name, and no user name or password in it."
PLAIN_HTTP = PingStep(
    StepName.TLS, None, None, "the URL is http://, nothing is encrypted", "Use https:// for anything but tests."
)

_BLOCKED: dict[str, Words] = {
    "userinfo": ("the URL holds a user name or password", "Take them out, and set outboundCredentials instead."),
    "scheme": ("the URL is neither http:// nor https://", "Use https://."),
    "host": ("the URL names no host that can be read", CHECK_HOST),
    PROXY_NOT_ALLOWED: ("this deployment sends everything through its own proxy", "Take transport.proxyUrl out."),
    PROXY_UNREADABLE: ("the URL of the proxy cannot be read", "Save transport.proxyUrl again."),
}

_OR_PRIVATE = ", or put its own authority into transport.caCertificates."
_SERVE_CHAIN = f"Serve the whole chain, intermediate certificates included{_OR_PRIVATE}"
_CERTIFICATE: dict[int, Words] = {
    9: ("the certificate is not valid yet", "Check the host's clock and the certificate's first day."),
    10: ("the certificate has expired", "Renew it, and let its renewal run by itself."),
    18: ("the certificate is signed by itself", f"Use one of a public authority{_OR_PRIVATE}"),
    19: ("the certificate's chain ends in one that nobody knows", f"Use one of a public authority{_OR_PRIVATE}"),
    20: ("the certificate's issuer is not known", _SERVE_CHAIN),
    21: ("the certificate's issuer is not known", _SERVE_CHAIN),
    62: ("the certificate is for another host name", "Use a certificate for the host name in the URL."),
    64: ("the certificate is for another address", "Use a host name that the certificate covers."),
}
"""By OpenSSL's X509_V_ERR number."""

ANSWER_REMEDIES: dict[Outcome, str] = {
    Outcome.CONNECT_FAILED: "See the steps above; the notification did not get through.",
    Outcome.TIMEOUT: "Answer within the time-out: take the notification, answer 202, and work on it afterwards.",
    Outcome.INVALID_RESPONSE: 'Answer with JSON such as {"success":true}, or set answers to auto.',
    Outcome.BLOCKED: "Use a public address, or have the operator add the network to DISPATCHER_ALLOW_NETWORKS.",
}
_STATUS_REMEDIES: dict[int, str] = {
    400: "The host cannot read the notification: see its log for what it misses.",
    401: "The host refuses the token or the signature: give it the signing secret, and check the credentials.",
    403: "The host refuses this client: allow it, or check the scope of its credentials.",
    404: "Check the path in the URL, and that the host serves it.",
    405: "Let the host take POST at this URL.",
    410: "The host wants no more notifications: set another URL.",
    413: "Let the host take bodies of this size.",
    415: "Let the host take Content-Type: application/json.",
    429: "The host limits its callers: raise its limit, or lower rateLimit of this integration.",
}
_STATUS_CLASS_REMEDIES: dict[int, str] = {
    3: "Redirects are not followed: set the URL to the final address.",
    4: "The host refuses the notification: see its log.",
    5: "The host failed: see its log.",
}

CHECK_REMEDIES: dict[CheckName, str] = {
    CheckName.FORGED_SIGNATURE: "Verify webhook-signature over the raw body with the signing secret, and answer 401.",
    CheckName.STALE_TIMESTAMP: "Refuse a webhook-timestamp that is more than 5 minutes off, and answer 401.",
    CheckName.MISSING_TOKEN: "Require the Authorization header that this integration's credentials give; answer 401.",
    CheckName.REPLAYED_ID: "Remember each webhook-id: give the first answer again, and do no work twice.",
}


class HungUp(ConnectionError):
    """The host ended the connection right after the handshake."""


def blocked(reason: str) -> Words:
    """Explain a refused address; ``reason`` is the guard's."""
    remedy = ANSWER_REMEDIES[Outcome.BLOCKED]
    return _BLOCKED.get(reason, (f"the address is not allowed ({reason})", remedy))


def tls_failure(error: Exception) -> Words:
    """Explain a TLS connection that did not come about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        default = f"the certificate is not trusted: {error.verify_message}", "Use a valid one of a public authority."
        return _CERTIFICATE.get(error.verify_code, default)
    if words := client_certificate_refused(error):
        return words
    if isinstance(error, HungUp):
        return "the host hung up after the handshake: it may want another client certificate", SET_CERTIFICATE
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or "handshake failed").replace("_", " ").lower()
        return f"no TLS: {reason}", "Serve TLS 1.2 or newer at this port, or use http:// if it has none."
    return "the connection broke off during the handshake", "Serve TLS at this port, or use http:// if it has none."


def certificate(version: str | None, peer: Mapping[str, Any] | None) -> Words:
    """Version and days left of a connection that is trusted."""
    ends = str((peer or {}).get("notAfter", ""))
    if not ends:
        return f"{version}", None
    days = int((ssl.cert_time_to_seconds(ends) - time.time()) // DAY_S)
    remedy = f"Renew the certificate: it ends in {days} days." if days < RENEW_WITHIN_DAYS else None
    return f"{version}, certificate good for {days} days (until {ends})", remedy


def status_remedy(status: int) -> str | None:
    """Remedy for an answer that is not 2xx."""
    return _STATUS_REMEDIES.get(status) or _STATUS_CLASS_REMEDIES.get(status // 100)
