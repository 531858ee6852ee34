"""Lets a caller in to a route: its token, its rate, its scopes, and what it is bound to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from aiohttp import hdrs, web

from dispatcher.api.admission.metering import Meters
from dispatcher.api.http.overload.turns import CHANGE_TURNS, share_of, take_turn
from dispatcher.api.http.route import ADMISSION, CALLER, ENDS_WITH_CALLER, Admission, Handler, Route
from dispatcher.api.oauth.gate import REALM, Gate
from dispatcher.errors import Problem, Refused, RequestError, StoreUnavailable
from dispatcher.model.access import Caller, Scope

_Once = Callable[[web.Request, str], Awaitable[web.StreamResponse]]
_FLEET_WIDE = frozenset({Scope.OPS_READ, Scope.OPS_WRITE, Scope.CLIENTS_ADMIN, Scope.MARKETPLACE_PARTNER})
"""Scopes that reach more than one account; never for a client that is bound to one."""

_LOOKING = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
_SERVERS_FAULT = 500
"""From this status on nobody knows what was done."""


def admitting(route: Route, gate: Gate, meters: Meters) -> Handler:
    """The route's handler behind its scopes."""
    needed = route.scopes
    if needed is None:
        return route.handler if route.asking is None else _asking(route, *route.asking, gate, meters)
    handler = _reading(route, Admission(partial(_readmit, gate, route)))
    once = _once(route, needed, handler, gate)
    let_in = gate.caller_without_store if route.outlives_store else gate.caller

    async def enter(request: web.Request) -> web.StreamResponse:
        authorization = request.headers.get(hdrs.AUTHORIZATION)
        if route.bearers and (token := gate.one_time(authorization)) is not None:
            return await once(request, token)
        caller = gate.remembered(authorization) or await let_in(authorization)
        limits = await meters.admit(caller) if caller.rate_per_s else None
        check(caller, needed, route)
        request[CALLER] = caller
        if limits is None:
            return await handler(request)
        return _with(limits, await handler(request))

    return enter


def _once(route: Route, needed: tuple[Scope, ...], handler: Handler, gate: Gate) -> _Once:
    """The handler for whoever shows a one-time bearer, which is used up unless the call is refused."""

    async def enter(request: web.Request, token: str) -> web.StreamResponse:
        acts = request.method not in _LOOKING
        request[CALLER] = await gate.bearer_of(request.match_info["_id"], token, acts=acts)
        refused = False
        try:
            check(request[CALLER], needed, route)
            return await handler(request)
        except (RequestError, web.HTTPException) as error:
            refused = error.status < _SERVERS_FAULT
            raise
        finally:
            if acts:
                await _judged(gate, token, refused=refused)

    return enter


async def _judged(gate: Gate, token: str, *, refused: bool) -> None:
    """If that cannot be written, the token stays held, and nobody acts with it any more."""
    with suppress(StoreUnavailable):
        await gate.judged(token, refused=refused)


def _asking(route: Route, name: str, scopes: tuple[Scope, ...], gate: Gate, meters: Meters) -> Handler:
    """The route's handler, behind scopes for who gives that query parameter."""
    handler, admitted = route.handler, admitting(replace(route, scopes=scopes), gate, meters)

    async def serve(request: web.Request) -> web.StreamResponse:
        return await (admitted if name in request.query else handler)(request)

    return serve


def _reading(route: Route, admission: Admission) -> Handler:
    """The handler; of what is only read, given up with its caller; in a turn of the caller's where the route says so.

    Only reading goes on for so long that its ``admission`` is renewed.
    """
    handler = route.handler
    if route.method != hdrs.METH_GET:
        return _changing(handler) if route.changes else handler

    async def read(request: web.Request) -> web.StreamResponse:
        request[ADMISSION] = admission
        request[ENDS_WITH_CALLER] = True
        if route.reads_much:
            await take_turn(request, request[CALLER])
        return await handler(request)

    return read


def _changing(handler: Handler) -> Handler:
    async def change(request: web.Request) -> web.StreamResponse:
        await request.app[CHANGE_TURNS].begin(share_of(request[CALLER]))
        return await handler(request)

    return change


def check(caller: Caller, needed: tuple[Scope, ...], route: Route) -> None:
    """Raises ``Refused`` for a caller that the route is not for."""
    if not caller.may(*needed):
        raise _insufficient(needed)
    if caller.account_id is not None and _FLEET_WIDE.issuperset(needed):
        raise Refused.of("account_restricted", "This client is bound to one account; use one that is not.")
    if caller.vendor_id is not None and not route.vendors:
        raise Refused.of("vendor_restricted", "This client is bound to one vendor; use one that is not.")
    if caller.marketplaces is not None and caller.account_id is None and not route.partners:
        text = "This client is bound to its marketplaces; ask for a token with scope=account:{AccountId}."
        raise Refused.of("marketplace_restricted", text)


async def _readmit(gate: Gate, route: Route, request: web.Request) -> None:
    """A one-time bearer may be used up by its admission: its request ends soon, and it is not asked for again."""
    if request[CALLER].installation_id is not None or route.scopes is None:
        return
    authorization = request.headers.get(hdrs.AUTHORIZATION)
    caller = gate.remembered(authorization) or await gate.caller(authorization)
    check(caller, route.scopes, route)
    request[CALLER] = caller


def _with(headers: dict[str, str], response: web.StreamResponse) -> web.StreamResponse:
    if not response.prepared:
        response.headers.update(headers)
    return response


def _insufficient(needed: tuple[Scope, ...]) -> Refused:
    names = " ".join(scope.value for scope in needed)
    text = f"This needs a token with one of the scopes: {names}."
    challenge = f'{REALM}, error="insufficient_scope", scope="{names}"'
    return Refused([Problem("insufficient_scope", text)], headers={hdrs.WWW_AUTHENTICATE: challenge})
