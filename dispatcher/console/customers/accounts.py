"""Accounts: who signs in, what they are connected to and what is installed; their sessions can be ended."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.installing import INSTALLING
from dispatcher.console.customers.reach import accounts_of, marketplaces_of
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.sentences import back, said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.model.access import Scope

ACCOUNTS = f"{HOME}/accounts"
SHOWN = 200
"""Accounts of a page, and installations of an account's page."""


async def show_accounts(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """By marketplace, oldest first, or the one of an id."""
    refuse_unheeded(request, {"q": False, "said": False})
    wanted, accounts = request.query.get("q", "").strip(), await accounts_of(request, viewer)
    if wanted:
        one = await accounts.find(wanted)
        found = [one] if one else []
    else:
        found = []
        for marketplace in await marketplaces_of(viewer).all():
            found += await accounts.of_marketplace(marketplace.id, limit=max(0, SHOWN - len(found)) or 1)
    return viewer.page("customers/accounts.html", accounts=found[:SHOWN], wanted=wanted, most=SHOWN, said=said(request))


async def show_account(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {"said": False})
    accounts = await accounts_of(request, viewer)
    account = await accounts.get(request.match_info["accountId"])
    own = replace(viewer.caller, account_id=account.id)
    installed = await viewer.services.installer.list(own, limit=SHOWN)
    return viewer.page(
        "customers/account.html",
        account=account,
        users=await accounts.users_of(account.id, SHOWN),
        connectors=await request.app[INSTALLING].connectors.of_account(account.id),
        installations=installed.items,
        ends=viewer.caller.may(Scope.MARKETPLACE_PARTNER),
        said=said(request),
    )


async def end_sessions(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """Sessions in browsers and links that were not opened have ended."""
    accounts = (await accounts_of(request, viewer)).noted(noting(request, "endSessions"))
    ended = await accounts.end_sessions(request.match_info["accountId"])
    return back(f"{ACCOUNTS}/{ended.id}", "ended")
