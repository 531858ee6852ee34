"""Attempts that got no answer: which outcome each is, in words that name no address and no secret. Sends nothing."""

from __future__ import annotations

import os
import ssl

import aiohttp

from dispatcher.model.attempt import Outcome
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import TRANSPORT_ERROR, Verdict
from worker.delivery.delivery import Authorization, Reading
from worker.delivery.outcomes.attempt_log import log
from worker.delivery.outcomes.shortage import PUT_OFF_S, own_shortage
from worker.http.connector import blocked_reason
from worker.http.tls import TransportUnusable
from worker.http.words import blocked_text, described
from worker.oauth.values import TokenFailure

CONFIGURATION_ERROR = "CONFIGURATION_ERROR"
_UNSENDABLE = "nothing was sent, a header holds what HTTP does not allow: correct the custom headers"


def unfinished_url(missing: str) -> Reading:
    """A template that is no URL yet: ``missing`` says which variables it still has."""
    return Reading(Verdict(Outcome.CONFIGURATION_ERROR, Status.RETRYING, CONFIGURATION_ERROR, missing))


def unreachable(why: str) -> Reading:
    """An account's connector leads nowhere that its AuthValue may go."""
    return Reading(Verdict(Outcome.CONFIGURATION_ERROR, Status.RETRYING, CONFIGURATION_ERROR, why))


def misplaced(secrets: str) -> Reading:
    """``secrets`` were saved for other places than this revision has."""
    text = f"nothing was sent, {secrets} was saved for another place than this version names: give it again and publish"
    return Reading(Verdict(Outcome.CONFIGURATION_ERROR, Status.RETRYING, CONFIGURATION_ERROR, text))


def undecided(why: str) -> Reading:
    """A filter that comes to no end with this event: nothing may be sent past it."""
    return Reading(Verdict(Outcome.CONFIGURATION_ERROR, Status.RETRYING, CONFIGURATION_ERROR, why))


def without_token(failure: TokenFailure) -> Reading:
    """No token, no POST. While an earlier failure is remembered, no attempt is counted either."""
    verdict = Verdict(Outcome.TOKEN_FAILED, Status.RETRYING, failure.code, failure.detail)
    put_off_s = failure.retry_after_s if failure.remembered else None
    return Reading(verdict, retry_after_s=failure.retry_after_s, put_off_s=put_off_s)


def unanswered(error: Exception, authorization: Authorization, sent_ms: int) -> Reading:
    """A POST that was not made, or got no answer."""
    if short := own_shortage(error):
        log.warning("no attempt for want of resources", error=short, retry_in_s=PUT_OFF_S)
        unsent = Verdict(Outcome.CONNECT_FAILED, Status.RETRYING, TRANSPORT_ERROR, short)
        return Reading(unsent, authorization=authorization, put_off_s=PUT_OFF_S, crowded=True)
    reason = blocked_reason(error)
    if reason is not None or isinstance(error, TransportUnusable):
        text = blocked_text(reason) if reason else str(error)
        blocked = Verdict(Outcome.BLOCKED, Status.RETRYING, CONFIGURATION_ERROR, text)
        return Reading(blocked, authorization=authorization)
    if isinstance(error, ValueError) and not isinstance(error, (aiohttp.ClientError, OSError)):
        unsendable = Verdict(Outcome.CONFIGURATION_ERROR, Status.RETRYING, CONFIGURATION_ERROR, _UNSENDABLE)
        return Reading(unsendable, authorization=authorization)
    outcome, text = _transport(error)
    failed = Verdict(outcome, Status.RETRYING, TRANSPORT_ERROR, text)
    return Reading(failed, authorization=authorization, sent_ms=sent_ms)


def _transport(error: Exception) -> tuple[Outcome, str]:
    if words := described(error):
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
    reason = error.message if isinstance(error, aiohttp.ClientResponseError) else type(error).__name__
    return Outcome.INVALID_RESPONSE, f"the answer is not HTTP: {reason}"


def _tls_reason(error: Exception) -> str:
    """Reason of the certificate's refusal, or the protocol's own word; never an address."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return getattr(cause, "verify_message", None) or getattr(cause, "reason", None) or type(cause).__name__


def _not_connected(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error.os_error, ConnectionResetError) and error.errno is None:  # asyncio's word for it
        return "TLS failed: the host broke off the handshake; it must speak TLS 1.2 or later"
    return f"no connection: {os.strerror(error.errno) if error.errno else 'refused'}"
