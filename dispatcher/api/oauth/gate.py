"""The caller of a request: bearer tokens, and a small memory of verified ones.

A token is verified once; then its client is looked up again every few seconds, so that one that was disabled,
rotated or revoked is let in no longer than that. Never says why a token was refused.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from aiohttp import hdrs

from dispatcher.api.oauth.directory import Directory, Principal
from dispatcher.api.oauth.narrowing import still_reaches
from dispatcher.api.oauth.tokens import AccessToken, TokenReader
from dispatcher.clock import Clock
from dispatcher.errors import Conflict, Problem, RequestError, StoreUnavailable
from dispatcher.model.access import ACCOUNT_SCOPES, Caller, Scope, effective
from dispatcher.store.installations.installed.bearers import PREFIX, Bearers, Taking
from dispatcher.store.secrets.signing_keys import RevokedTokens

RECHECK_S = 4.0
PATIENCE_S = 1.0
"""Wait for the store of a route that answers without it, about a caller who was let in before."""
CAPACITY = 4096
JUDGED_WITHIN_S = 10.0
LOOK_AGAIN_S = 0.05
"""Longest wait for another call with the same one-time bearer, and the pause between looks."""

REALM = 'Bearer realm="dispatcher"'


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
        bearers: Bearers | None = None,
    ) -> None:
        self._bearers = bearers
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
        """The sender of this header. 401 for whoever has no good token."""
        if authorization is None:
            raise _unauthorized("missing_token", "Send an access token from /oauth2/token as a Bearer token.", REALM)
        scheme, _, text = authorization.partition(" ")
        now_s = self._clock()
        known = self._known.pop(authorization, None)
        token = self._reader.read(text.strip(), now_s) if scheme.lower() == "bearer" else None
        if token is None:
            raise _invalid_token()
        if known is not None:
            self._known[authorization] = _Known(token, known.caller, now_s)
        try:
            caller = await self._current(token, authorization)
        except (StoreUnavailable, asyncio.CancelledError):
            if known is not None:  # for ``caller_without_store``: as old as it was, so that nothing else counts on it
                self._known[authorization] = known
            raise
        self._remember(authorization, _Known(token, caller, now_s))
        return caller

    async def caller_without_store(self, authorization: str | None) -> Caller:
        """``caller``, and while the store is away whoever was last let in with this token, until that expires."""
        known = self._known.get(authorization or "")
        try:
            async with asyncio.timeout(PATIENCE_S if known else None):
                return await self.caller(authorization)
        except (StoreUnavailable, TimeoutError):
            if known is None:
                raise
            return known.caller

    def one_time(self, authorization: str | None) -> str | None:
        """The one-time bearer that the header shows, good or not; None = it shows something else."""
        scheme, _, text = (authorization or "").partition(" ")
        token = text.strip()
        is_one = self._bearers is not None and scheme.lower() == "bearer" and token.startswith(PREFIX)
        return token if is_one else None

    async def bearer_of(self, installation_id: str, token: str, *, acts: bool) -> Caller:
        """The owner who shows a one-time bearer of that installation. Whoever ``acts`` holds it until it is judged.

        401 for one that is used up, is of another installation, or too old; 409 while another call holds it for long.
        """
        bearers = self._one_time_bearers()
        if not (await self._hold(token, installation_id) if acts else await bearers.is_good(token, installation_id)):
            raise _invalid_token()
        scopes = frozenset({Scope.INTEGRATIONS_READ.value, Scope.INTEGRATIONS_WRITE.value})
        return Caller(f"installer:{installation_id}", scopes, installation_id=installation_id)

    async def judged(self, token: str, *, refused: bool) -> None:
        """Let a one-time bearer be shown again whose call was refused; any other is used up."""
        bearers = self._one_time_bearers()
        await (bearers.give_back if refused else bearers.use_up)(token)

    async def _hold(self, token: str, installation_id: str) -> bool:
        bearers, until_s = self._one_time_bearers(), asyncio.get_running_loop().time() + JUDGED_WITHIN_S
        while (taking := await bearers.take(token, installation_id)) is Taking.HELD_BY_ANOTHER:
            if asyncio.get_running_loop().time() > until_s:
                text = "Another call with this bearer has not ended: look at the integration, then try again."
                raise Conflict([Problem("bearer_in_use", text)], headers={hdrs.RETRY_AFTER: "1"})
            await asyncio.sleep(LOOK_AGAIN_S)
        return taking is Taking.HELD

    def _one_time_bearers(self) -> Bearers:
        assert self._bearers is not None
        return self._bearers

    async def _current(self, token: AccessToken, authorization: str) -> Caller:
        try:
            principal = await self._directory.find(token.client_id)
            if principal and principal.stamp == token.stamp and not await self._revoked.contains(token.jti):
                whole = caller_of(principal, self._rate_per_s)
                if token.narrowed is None:
                    return replace(whole, scopes=_both(token.scopes, principal.scopes))
                if still_reaches(principal, token.narrowed):
                    return _narrowed(whole, token)
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
    return Caller(principal.client_id, effective(principal.scopes), *bounds, own_per_s, principal.marketplaces)


def _narrowed(whole: Caller, token: AccessToken) -> Caller:
    """The caller as a user of the one account that its token is for."""
    account_id = token.narrowed.account_id if token.narrowed else None
    scopes = token.scopes & {one.value for one in ACCOUNT_SCOPES}
    return replace(whole, scopes=scopes, account_id=account_id, vendor_id=None, narrowed=True)


def _both(asked: frozenset[str], granted: frozenset[str]) -> frozenset[str]:
    return effective(asked) & effective(granted)


def _invalid_token() -> RequestError:
    text = "The access token is not valid; get a new one from /oauth2/token."
    return _unauthorized("invalid_token", text, f'{REALM}, error="invalid_token"')


def _unauthorized(code: str, text: str, challenge: str) -> RequestError:
    return RequestError([Problem(code, text)], 401, {hdrs.WWW_AUTHENTICATE: challenge})
