"""The account that a request of a host application is about, and ending its sessions."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noting
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.installing import INSTALLING
from dispatcher.api.services import SERVICES
from dispatcher.errors import InvalidRequest, Refused
from dispatcher.model.access import Scope
from dispatcher.model.account import Account
from dispatcher.policy.installing.marketplace_access import reach_of
from dispatcher.store.installations.parties.accounts import AccountStore

ACCOUNT_HEADER = "X-Cyclr-Account"


async def accounts_of(request: web.Request) -> AccountStore:
    """Those that exist for the caller."""
    within = request.app[SERVICES].marketplaces.within(reach_of(request[CALLER]))
    return request.app[INSTALLING].accounts.within(await within.reach())


async def account_in(request: web.Request) -> Account:
    """The token's own account, else the one that the header names. 400 without either, 403 for another one's token."""
    caller, named = request[CALLER], request.headers.get(ACCOUNT_HEADER, "").strip()
    if caller.account_id is not None and named not in ("", caller.account_id):
        text = "This token is for another account: leave the header out, or ask for a token of that account."
        raise Refused.of("account_restricted", text, ACCOUNT_HEADER)
    account_id = caller.account_id or named
    if not account_id:
        text = f"Name the account in the header {ACCOUNT_HEADER}, or use a token with scope=account:{{AccountId}}."
        raise InvalidRequest.of("missing_account", text, ACCOUNT_HEADER)
    return await (await accounts_of(request)).get(account_id)


async def end_sessions(request: web.Request) -> web.StreamResponse:
    """204; links that were not opened and sessions in browsers have ended."""
    accounts = await accounts_of(request)
    await accounts.noted(noting(request, "endSessions")).end_sessions(request.match_info["accountId"])
    return web.Response(status=204)


ROUTES: tuple[Route, ...] = (
    Route(
        "DELETE",
        "/v1.0/accounts/{accountId}/sessions",
        end_sessions,
        (Scope.MARKETPLACE_PARTNER,),
        "End all sessions and unopened links of an account",
        answers={204: None},
        tag="embedding",
        vendors=True,
        partners=True,
    ),
)
