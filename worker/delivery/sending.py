"""The steps of a delivery that talk to the outside: prepare → authorise → sign → post → read.

No token, no POST. The bytes that are signed are the bytes that are sent. Never raises for what a host does: that is a
reading. Decides nothing about the event (``worker.delivery.deliver``).
"""

from __future__ import annotations

import time
from collections.abc import Awaitable
from functools import partial

import aiohttp

from dispatcher.clock import Clock
from dispatcher.model.attempt import Phases
from dispatcher.model.event import Event
from dispatcher.model.event_type import STEP_TYPES
from dispatcher.policy.addresses.urls import unfilled
from dispatcher.policy.answers.outcome import classify
from dispatcher.policy.notification.body import build_body
from dispatcher.policy.notification.signing import current_keys, sign
from dispatcher.policy.notification.trace_context import TRACEPARENT
from dispatcher.policy.pace.retry import parse_retry_after
from worker.delivery.accounts.headers import authorise_for_account, open_headers
from worker.delivery.accounts.installed import InstalledEvents
from worker.delivery.delivery import Authorization, Delivery, Identity, Reading
from worker.delivery.outcomes.attempt_log import AS_PLANNED
from worker.delivery.outcomes.failures import misplaced, unanswered, unfinished_url, unreachable, without_token
from worker.delivery.outcomes.telling_headers import telling_headers
from worker.delivery.targets.form import Form
from worker.http.answer import Answer
from worker.http.connector import ConnectionLapsed
from worker.http.ration import TENANT
from worker.http.transport_sessions import TransportSessions
from worker.oauth.source import TokenSource
from worker.oauth.values import TokenFailure

STEP_TIMEOUT_S = 30.0
"""Longest wait for the answer to a call about a step: a person waits for it too."""

_NOT_NEEDED = Authorization()


class Sender:
    """The steps that talk to the outside, over guarded sessions. One per process, and one per ping test."""

    def __init__(
        self,
        sessions: TransportSessions,
        tokens: TokenSource,
        identity: Identity,
        clock: Clock,
        installed: InstalledEvents | None = None,
    ) -> None:
        """``installed`` completes events of installations; None for pings, which are of none."""
        self._installed = installed
        self._sessions = sessions
        self._tokens = tokens
        self._identity = identity
        self._clock = clock

    async def send(self, delivery: Delivery) -> Reading:
        """prepare, authorise, sign, post, read. The first 401 buys one fresh token within the same attempt."""
        way = delivery.approach
        TENANT.set(delivery.target.tenant)
        if way is not None and way.problem:
            return unreachable(way.problem)
        if delivery.target.misplaced and not delivery.elsewhere:
            return misplaced(delivery.target.misplaced)
        if missing := unfilled(delivery.url):
            return unfinished_url(missing)
        completed = None
        if delivery.claimed.event.subscription_id is not None and self._installed is not None:
            completed, delivery.secrets = await self._installed.completed(delivery.claimed.whole())
        self.prepare(delivery, completed)
        first = await self._send_once(delivery)
        key, refused = delivery.target.token_key, first.authorization.bearer
        if first.http_status != 401 or key is None or not refused or not await self._tokens.rejected(key, refused):
            return first
        second = await self._send_once(delivery)
        if second.http_status is not None and second.http_status != 401:
            self._tokens.accepted(key)
        return second

    async def _send_once(self, delivery: Delivery) -> Reading:
        authorization = self.authorise(delivery) or await self._authorise_anew(delivery)
        if isinstance(authorization, TokenFailure):
            return without_token(authorization)
        return await self._posted(delivery, authorization)

    async def _posted(self, delivery: Delivery, authorization: Authorization) -> Reading:
        target, sent_ms = delivery.target, self.sign(delivery)
        step = delivery.claimed.event.type in STEP_TYPES
        timeout_s = min(target.timeout_s, STEP_TIMEOUT_S) if step else target.timeout_s
        try:
            try:
                answer = await self._post(delivery, timeout_s)
            except ConnectionLapsed as lapsed:
                sent_ms, delivery.resent = self.sign(delivery), True
                answer = await self._post(delivery, lapsed.left_s, fresh=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return unanswered(error, authorization, sent_ms)
        return read(delivery, answer, authorization, sent_ms)

    def _post(self, delivery: Delivery, timeout_s: float, fresh: bool = False) -> Awaitable[Answer]:
        route, sessions = None if delivery.elsewhere else delivery.target.route, self._sessions
        post = sessions.plain.post if route is None else partial(sessions.post, route)
        return post(
            delivery.url, delivery.body, delivery.headers, timeout_s=timeout_s, fresh=fresh, query=delivery.query
        )

    def prepare(self, delivery: Delivery, completed: Event | None = None) -> None:
        """Write the body, once for all tries, and the headers that no try changes. ``completed``: sent instead."""
        _, state, n, named = delivery.claimed[:4]
        event, ours = completed or delivery.claimed.whole(), self._identity
        delivery.body = build_body(event, state, base_url=ours.base_url, partner=ours.partner, account_identifier=named)
        delivery.headers = {
            **(open_headers(delivery.target) if delivery.elsewhere else delivery.target.fixed_headers),
            "webhook-id": event.id,
            "x-event-type": event.type,
            "x-delivery-attempt": str(n),
        }
        if event.trace:
            delivery.headers[TRACEPARENT] = event.trace
        if (form := delivery.target.form) is not None:
            self._reform(delivery, form)

    def _reform(self, delivery: Delivery, form: Form) -> None:
        """Another form than the usual one of what is prepared."""
        event, created_ms = delivery.claimed.event, delivery.claimed.state.created_ms
        formed = form.formed(event, created_ms, self._identity.base_url, delivery.body)
        delivery.body, delivery.query = formed.body, formed.query
        if formed.content_type is None:
            del delivery.headers["Content-Type"]
        else:
            delivery.headers["Content-Type"] = formed.content_type

    def authorise(self, delivery: Delivery) -> Authorization | None:
        """Write the account's own value, or the token that the credentials call for; None = it has to be fetched."""
        target, way = delivery.target, delivery.approach
        if way is not None and (way.header is not None or way.own_host):
            authorise_for_account(delivery.headers, way.header)
            return _NOT_NEEDED
        if target.token_key is None:
            return _NOT_NEEDED
        value = self._tokens.cached(target.token_key)
        return None if value is None else _with_bearer(delivery, value)

    async def _authorise_anew(self, delivery: Delivery) -> Authorization | TokenFailure:
        target = delivery.target
        begun_s = time.perf_counter()
        token = await self._tokens.token(target.credentials, target.token_scope, target.route)
        if isinstance(token, TokenFailure):
            return token
        return _with_bearer(delivery, token.value, token.fetched, time.perf_counter() - begun_s)

    def sign(self, delivery: Delivery) -> int:
        """Write time and signature of this try; returns that time, in milliseconds."""
        now_ms = self._clock.now_ms()
        keys, event_id = current_keys(delivery.target.keys, now_ms), delivery.claimed.event.id
        delivery.headers["webhook-timestamp"] = str(now_ms // 1000)
        delivery.headers["webhook-signature"] = sign(keys, event_id, now_ms // 1000, delivery.body)
        return now_ms


def _with_bearer(delivery: Delivery, value: str, fetched: bool = False, took_s: float = 0.0) -> Authorization:
    delivery.headers["Authorization"] = f"Bearer {value}"
    return Authorization(value, fetched, took_s)


def read(delivery: Delivery, answer: Answer, authorization: Authorization, sent_ms: int) -> Reading:
    """The meaning of a host's answer."""
    event, body = delivery.claimed.event, answer.body
    kind, wait = answer.headers.get("Content-Type"), answer.headers.get("Retry-After")
    mode = delivery.target.answers
    verdict = classify(answer.status, body.data, body.truncated, kind, mode, event.type, event.flag)
    verdict = verdict.noting(answer.odd) if answer.odd else verdict
    wait_s = parse_retry_after(wait, sent_ms / 1000) if wait else None
    spent = answer.looked_up_s, answer.connected_s, answer.waited_s, answer.read_s
    phases = Phases.of_seconds(authorization.took_s, *spent)
    headers = None if verdict.outcome in AS_PLANNED else telling_headers(answer)
    return Reading(verdict, answer.status, body.data, wait_s, authorization, sent_ms, phases=phases, headers=headers)
