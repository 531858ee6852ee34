"""Tokens of a user's own authorization: a code redeemed (RFC 6749 §4.1.3), a refresh token used (§6). Keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import aiohttp
from authlib.oauth2.auth import ClientAuth

from dispatcher.clock import Clock
from dispatcher.model.authorization import Grant
from dispatcher.model.connector import OAuthApplication
from dispatcher.policy.answers.body import Fields
from worker.http.answer import Answer
from worker.http.connector import ConnectionLapsed
from worker.http.transport_sessions import TransportSessions
from worker.oauth.answer import MAX_TOKEN_CHARS, TokenAnswer, fields_of, read_token
from worker.oauth.client import KEPT_IN_BASIC, REQUEST_TIMEOUT_S, failure_of
from worker.oauth.id_token import subject_of
from worker.oauth.values import TokenFailure

_MASK = "******"


@dataclass(frozen=True, slots=True)
class GrantClient:
    """One per process. Every way in which it can fail is a ``TokenFailure``."""

    sessions: TransportSessions
    clock: Clock

    async def redeem(
        self, application: OAuthApplication, code: str, verifier: str, redirect_uri: str
    ) -> Grant | TokenFailure:
        """``application`` has its secret in clear."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return await self._asked(application, form | {"code_verifier": verifier}, (code, verifier))

    async def renew(self, application: OAuthApplication, refresh_token: str) -> Grant | TokenFailure:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._asked(application, form, (refresh_token,))

    async def _asked(
        self, application: OAuthApplication, form: Mapping[str, str], hidden: tuple[str, ...]
    ) -> Grant | TokenFailure:
        try:
            asked_at_s = self.clock()
            outcome = _read(await self._answer(application, form), application.client_id, asked_at_s)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            outcome = failure_of(error)
        if isinstance(outcome, Grant):
            return outcome
        detail = outcome.detail
        for secret in (application.client_secret, *hidden):
            detail = detail.replace(secret, _MASK) if secret else detail
        return TokenFailure(outcome.code, detail, outcome.retry_after_s)

    async def _answer(self, application: OAuthApplication, form: Mapping[str, str]) -> Answer:
        url, headers, body = _prepared(application, form)
        try:
            return await self.sessions.post(None, url, body, headers, timeout_s=REQUEST_TIMEOUT_S)
        except ConnectionLapsed as lapsed:
            return await self.sessions.post(None, url, body, headers, timeout_s=lapsed.left_s, fresh=True)


def _prepared(application: OAuthApplication, form: Mapping[str, str]) -> tuple[str, dict[str, str], bytes]:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if application.client_secret:
        client_id, secret = (
            quote(one, safe=KEPT_IN_BASIC) for one in (application.client_id, application.client_secret)
        )
        auth = ClientAuth(client_id, secret, "client_secret_basic")
    else:
        auth = ClientAuth(application.client_id, "", "none")
    url, headers, body = auth.prepare("POST", application.token_uri, headers, urlencode(form))
    return url, headers, body.encode()


def _read(answer: Answer, client_id: str, asked_at_s: float) -> Grant | TokenFailure:
    granted = TokenAnswer(answer.status, answer.headers, answer.body, asked_at_s)
    token = read_token(granted)
    if isinstance(token, TokenFailure):
        return token
    lasts = token.expires_at_s > token.issued_at_s
    fields = fields_of(granted) or {}
    expires_ms = int(token.expires_at_s * 1000) if lasts else None
    issuer, subject = subject_of(fields.get("id_token"), client_id) or ("", None)
    return Grant(token.value, _refresh_token(fields), expires_ms, issuer, subject)


def _refresh_token(fields: Fields) -> str | None:
    value = fields.get("refresh_token")
    if not isinstance(value, str):
        return None
    return value if 0 < len(value) <= MAX_TOKEN_CHARS and value.isprintable() else None
