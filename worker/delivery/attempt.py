"""One attempt: authorise, build, sign, POST, read the answer. Never decides what comes of the event.

No token, no POST. The bytes that are signed are the bytes that are sent. Expected failures are results, not exceptions.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import NamedTuple

import aiohttp
import structlog

from dispatcher.clock import steady_clock
from dispatcher.model.attempt import Outcome
from dispatcher.model.event import Event, EventState
from dispatcher.model.integration import CredentialType
from dispatcher.model.status import Status
from dispatcher.policy.answers import TRANSPORT_ERROR, Verdict, classify
from dispatcher.policy.notification import build_body
from dispatcher.policy.retry import parse_retry_after
from dispatcher.policy.signing import sign
from dispatcher.policy.urls import unfilled
from worker.delivery.shortage import PUT_OFF_S, own_shortage
from worker.delivery.target import Target
from worker.http.connector import blocked_reason
from worker.http.exchange import Answer
from worker.http.tls import TransportUnusable
from worker.http.transport_sessions import TransportSessions
from worker.http.words import blocked_text, told
from worker.oauth.client import TokenSource
from worker.oauth.values import TokenFailure

_BEARER = "Bearer "
_UNSENDABLE = Verdict(
    Outcome.CONFIGURATION_ERROR,
    Status.RETRYING,
    "CONFIGURATION_ERROR",
    "nothing was sent, a header holds what HTTP does not allow: correct the custom headers",
)

log = structlog.get_logger("attempt")


class Sent(NamedTuple):
    """What came of one attempt. ``sent_ms`` None: nothing left this machine."""

    verdict: Verdict
    http_status: int | None = None
    body: bytes = b""
    retry_after_s: float | None = None
    token_fetched: bool = False
    sent_ms: int | None = None
    put_off_s: float | None = None
    """No attempt was made, and none is worth making before that many seconds."""
    bearer: str = ""
    """The token that was sent."""

    def hidden(self, secrets: tuple[str, ...]) -> tuple[str, ...]:
        """What must not be kept of the answer: a host may repeat whatever it was sent."""
        return (*secrets, self.bearer) if self.bearer else secrets


@dataclass(frozen=True, slots=True)
class Identity:
    """What notifications say of this marketplace."""

    base_url: str
    partner: str


class Sender:
    """Makes attempts over guarded sessions."""

    def __init__(self, sessions: TransportSessions, tokens: TokenSource, identity: Identity) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._identity = identity

    async def send(
        self, target: Target, url: str, event: Event, state: EventState, n: int, ident: str | None, offset_ms: int
    ) -> Sent:
        """Attempt ``n``. ``offset_ms``: what the store's clock is ahead of the steady one."""
        if missing := unfilled(url):
            return Sent(Verdict(Outcome.CONFIGURATION_ERROR, Status.RETRYING, "CONFIGURATION_ERROR", missing))
        body = build_body(
            event, state, base_url=self._identity.base_url, partner=self._identity.partner, account_identifier=ident
        )
        headers = {
            **target.fixed_headers,
            "webhook-id": event.id,
            "x-event-type": event.type.value,
            "x-delivery-attempt": str(n),
        }
        if target.credentials.type is not CredentialType.OAUTH2 or target.token_key is None:
            return await self._post(target, url, event, body, headers, offset_ms)
        return await self._authorised(target, target.token_key, url, event, body, headers, offset_ms)

    async def _authorised(
        self, target: Target, key: str, url: str, event: Event, body: bytes, headers: dict[str, str], offset_ms: int
    ) -> Sent:
        """With a bearer token; the first 401 buys one fresh token within the same attempt."""
        sent = await self._with_token(target, key, url, event, body, headers, offset_ms)
        if sent.http_status != 401 or not await self._tokens.rejected(key, headers["Authorization"][len(_BEARER) :]):
            return sent
        again = await self._with_token(target, key, url, event, body, headers, offset_ms)
        if again.http_status is not None and again.http_status != 401:
            self._tokens.accepted(key)
        return again

    async def _with_token(
        self, target: Target, key: str, url: str, event: Event, body: bytes, headers: dict[str, str], offset_ms: int
    ) -> Sent:
        value = self._tokens.cached(key)
        fetched = False
        if value is None:
            token = await self._tokens.token(target.credentials, target.token_scope, target.route)
            if isinstance(token, TokenFailure):
                return _no_token(token)
            value, fetched = token.value, token.fetched
        headers["Authorization"] = _BEARER + value
        return await self._post(target, url, event, body, headers, offset_ms, fetched, value)

    async def _post(
        self,
        target: Target,
        url: str,
        event: Event,
        body: bytes,
        headers: dict[str, str],
        offset_ms: int,
        fetched: bool = False,
        bearer: str = "",
    ) -> Sent:
        now_ms = int(steady_clock() * 1000) + offset_ms
        headers["webhook-timestamp"] = str(now_ms // 1000)
        headers["webhook-signature"] = sign(target.signing_keys(now_ms), event.id, now_ms // 1000, body)
        try:
            answer = await self._sessions.post(target.route, url, body, headers, timeout_s=target.timeout_s)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _not_answered(error, fetched, now_ms)
        return _answered(answer, target, event, fetched, now_ms, bearer)


def _answered(answer: Answer, target: Target, event: Event, fetched: bool, now_ms: int, bearer: str) -> Sent:
    kind, wait = answer.headers.get("Content-Type"), answer.headers.get("Retry-After")
    body = answer.body
    verdict = classify(answer.status, body.data, body.truncated, kind, target.answers, event.type, event.flag)
    wait_s = parse_retry_after(wait, now_ms / 1000) if wait else None
    return Sent(verdict, answer.status, body.data, wait_s, fetched, now_ms, bearer=bearer)


def _no_token(failure: TokenFailure) -> Sent:
    verdict = Verdict(Outcome.TOKEN_FAILED, Status.RETRYING, failure.code, failure.detail)
    return Sent(
        verdict, retry_after_s=failure.retry_after_s, put_off_s=failure.retry_after_s if failure.remembered else None
    )


def _not_answered(error: Exception, fetched: bool, now_ms: int) -> Sent:
    if short := own_shortage(error):
        log.warning("no attempt for want of resources", error=short, retry_in_s=PUT_OFF_S)
        unsent = Verdict(Outcome.CONNECT_FAILED, Status.RETRYING, TRANSPORT_ERROR, short)
        return Sent(unsent, token_fetched=fetched, put_off_s=PUT_OFF_S)
    reason = blocked_reason(error)
    if reason is not None or isinstance(error, TransportUnusable):
        text = blocked_text(reason) if reason else str(error)
        blocked = Verdict(Outcome.BLOCKED, Status.RETRYING, "CONFIGURATION_ERROR", text)
        return Sent(blocked, token_fetched=fetched)
    if isinstance(error, ValueError) and not isinstance(error, (aiohttp.ClientError, OSError)):
        return Sent(_UNSENDABLE, token_fetched=fetched)
    outcome, text = _transport(error)
    return Sent(Verdict(outcome, Status.RETRYING, TRANSPORT_ERROR, text), token_fetched=fetched, sent_ms=now_ms)


def _transport(error: Exception) -> tuple[Outcome, str]:
    if words := told(error):
        return Outcome.CONNECT_FAILED, words[0]
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Outcome.TIMEOUT, "no connection before the connect time-out"
    if isinstance(error, TimeoutError):
        return Outcome.TIMEOUT, "no complete answer before the time-out"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Outcome.CONNECT_FAILED, f"the host name {error.host!r} does not resolve"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return Outcome.CONNECT_FAILED, f"TLS failed: {_tls_reason(error)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return Outcome.CONNECT_FAILED, _not_connected(error)
    if isinstance(error, (aiohttp.ServerDisconnectedError, ConnectionError, aiohttp.ClientOSError)):
        return Outcome.CONNECT_FAILED, "the host closed the connection before it answered"
    return Outcome.INVALID_RESPONSE, f"the answer is not HTTP: {type(error).__name__}"


def _tls_reason(error: Exception) -> str:
    """What is wrong with the certificate, or the protocol's own word; never an address."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or type(cause).__name__


def _not_connected(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error.os_error, ConnectionResetError) and error.errno is None:  # asyncio's word for it
        return "TLS failed: the host broke off the handshake; it must speak TLS 1.2 or later"
    return f"no connection: {os.strerror(error.errno) if error.errno else 'refused'}"
