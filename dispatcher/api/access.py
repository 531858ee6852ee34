"""Who makes a request and whether it may: bearer tokens, scopes, and a small memory of verified tokens.

A token is verified once; then its client is looked up again every few seconds, so that one that was disabled,
rotated or revoked is let in no longer than that. Never says why a token was refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import hdrs, web

from dispatcher.api.http.route import CALLER, Handler, Route
from dispatcher.api.metering import Meters
from dispatcher.api.oauth.directory import Directory, Principal
from dispatcher.api.oauth.tokens import AccessToken, TokenReader
from dispatcher.clock import Clock
from dispatcher.errors import Problem, Refused, RequestError
from dispatcher.model.access import Caller, Scope, effective
from dispatcher.store.secrets.signing_keys import RevokedTokens

RECHECK_S = 4.0
CAPACITY = 4096

_REALM = 'Bearer realm="dispatcher"'
_FLEET_WIDE = frozenset({Scope.OPS_READ, Scope.OPS_WRITE, Scope.CLIENTS_ADMIN})
"""What shows or changes more than one account; never for a client that is restricted to one."""


@dataclass(slots=True)
class _Known:
    token: AccessToken
    caller: Caller
    checked_s: float


class Gate:
    """Turns an ``Authorization`` header into a ``Caller``. ``rate_per_s``: of clients without a rate of their own."""

    def __init__(
        self,
        reader: TokenReader,
        directory: Directory,
        revoked: RevokedTokens,
        clock: Clock,
        rate_per_s: float = 0.0,
    ) -> None:
        self._rate_per_s = rate_per_s
        self._reader = reader
        self._directory = directory
        self._revoked = revoked
        self._clock = clock
        self._known: dict[str, _Known] = {}

    def remembered(self, authorization: str | None) -> Caller | None:
        """The caller, if its token was checked moments ago. Costs microseconds."""
        if authorization is None:
            return None
        known = self._known.get(authorization)
        now_s = self._clock()
        if known is None or now_s >= known.token.expires_s or now_s - known.checked_s > RECHECK_S:
            return None
        return known.caller

    async def caller(self, authorization: str | None) -> Caller:
        """Who sent this header. 401 for whoever has no good token."""
        if authorization is None:
            raise _unauthorized("missing_token", "Send an access token from /oauth2/token as a Bearer token.", _REALM)
        scheme, _, text = authorization.partition(" ")
        now_s = self._clock()
        known = self._known.pop(authorization, None)
        token = self._reader.read(text.strip(), now_s) if scheme.lower() == "bearer" else None
        if token is None:
            raise _invalid_token()
        if known is not None:
            self._known[authorization] = _Known(token, known.caller, now_s)
        caller = await self._current(token, authorization)
        self._remember(authorization, _Known(token, caller, now_s))
        return caller

    async def _current(self, token: AccessToken, authorization: str) -> Caller:
        try:
            principal = await self._directory.find(token.client_id)
            if principal and principal.stamp == token.stamp and not await self._revoked.contains(token.jti):
                return replace(caller_of(principal, self._rate_per_s), scopes=_both(token.scopes, principal.scopes))
        except BaseException:
            self._known.pop(authorization, None)
            raise
        self._known.pop(authorization, None)
        raise _invalid_token()

    def _remember(self, authorization: str, known: _Known) -> None:
        if len(self._known) >= CAPACITY:
            self._known.pop(next(iter(self._known)))
        self._known[authorization] = known

    def forget(self, jti: str) -> None:
        """Drop a token that was just revoked."""
        self._known = {key: known for key, known in self._known.items() if known.token.jti != jti}


def caller_of(principal: Principal, rate_per_s: float = 0.0) -> Caller:
    """The principal with everything that it may do. ``rate_per_s``: unless it has a rate of its own."""
    own_per_s = rate_per_s if principal.rate_per_s is None else principal.rate_per_s
    bounds = (principal.account_id, principal.integration_id, principal.vendor_id)
    return Caller(principal.client_id, effective(principal.scopes), *bounds, own_per_s)


def _both(asked: frozenset[str], granted: frozenset[str]) -> frozenset[str]:
    return effective(asked) & effective(granted)


def admitting(route: Route, gate: Gate, meters: Meters) -> Handler:
    """The route's handler behind its scopes."""
    needed = route.scopes
    handler = route.handler
    if needed is None:
        return handler

    async def enter(request: web.Request) -> web.StreamResponse:
        authorization = request.headers.get(hdrs.AUTHORIZATION)
        caller = gate.remembered(authorization) or await gate.caller(authorization)
        limits = await meters.admit(caller) if caller.rate_per_s else None
        if not caller.may(*needed):
            raise _insufficient(needed)
        if caller.account_id is not None and _FLEET_WIDE.issuperset(needed):
            raise Refused.of("account_restricted", "This client is restricted to one account; use one that is not.")
        if caller.vendor_id is not None and not route.vendors:
            raise Refused.of("vendor_restricted", "This client is restricted to one vendor; use one that is not.")
        request[CALLER] = caller
        if limits is None:
            return await handler(request)
        return _with(limits, await handler(request))

    return enter


def _with(headers: dict[str, str], response: web.StreamResponse) -> web.StreamResponse:
    if not response.prepared:
        response.headers.update(headers)
    return response


def _invalid_token() -> RequestError:
    text = "The access token is not valid; get a new one from /oauth2/token."
    return _unauthorized("invalid_token", text, f'{_REALM}, error="invalid_token"')


def _unauthorized(code: str, text: str, challenge: str) -> RequestError:
    return RequestError([Problem(code, text)], 401, {hdrs.WWW_AUTHENTICATE: challenge})


def _insufficient(needed: tuple[Scope, ...]) -> Refused:
    names = " ".join(scope.value for scope in needed)
    text = f"This needs a token with one of the scopes: {names}."
    challenge = f'{_REALM}, error="insufficient_scope", scope="{names}"'
    return Refused([Problem("insufficient_scope", text)], headers={hdrs.WWW_AUTHENTICATE: challenge})
