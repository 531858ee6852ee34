"""Installations: by account, integration and standing, and one with its steps, its lock and who changed it."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import InvalidRequest
from dispatcher.flow.installations.installer import InstallationPage
from dispatcher.model.access import Scope
from dispatcher.model.installation import Installation, Standing
from dispatcher.store.audit_log.reading import AuditFilter, AuditReader

INSTALLATIONS = f"{HOME}/installations"
PAGE = 50
MOST_LOOKED_AT = 1000
HISTORY = 20
LOOKS = {
    Standing.INSTALLING: ("run", "steps are open"),
    Standing.SETTING_UP: ("wait", "ordered, no answer yet"),
    Standing.INSTALLED: ("ok", "installed"),
    Standing.REFUSED: ("bad", "refused by its host"),
    Standing.NEEDS_ATTENTION: ("warn", "credentials refused"),
    Standing.UNINSTALLING: ("off", "being removed"),
}
KNOWN = dict.fromkeys(("account", "integration", "standing", "after", "said"), False)


async def show_installations(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Oldest first; one page looks at so many, and says where it stopped."""
    refuse_unheeded(request, KNOWN)
    given = {name: request.query.get(name, "").strip() for name in ("account", "integration", "standing")}
    standing = _standing(given["standing"])
    found = await _page(viewer, given["account"], request.query.get("after", ""))
    items = [one for one in found.items if _fits(one, given["integration"], standing)]
    following = {name: text for name, text in given.items() if text} | {"after": found.after or ""}
    return viewer.page(
        "customers/installations.html",
        items=items,
        names=await viewer.names({one.integration_id for one in items if one.integration_id}),
        given=given,
        standings=[(one.value, LOOKS[one][1]) for one in Standing],
        looks=LOOKS,
        following=f"{INSTALLATIONS}?{urlencode(following)}" if found.after else None,
    )


async def show_installation(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """With the last changes that are in the audit log, for those who may read it."""
    found = await viewer.services.installer.get(viewer.caller, request.match_info["installationId"])
    history = []
    if viewer.sees_queue:
        reader = AuditReader(viewer.services.audit.redis)
        entries = await reader.page(AuditFilter(object_id=found.id), None, HISTORY)
        history = [entry.action() for entry in entries.items]
    names = await viewer.names([found.integration_id] if found.integration_id else [])
    look, words = LOOKS[found.standing]
    return viewer.page(
        "customers/installation.html",
        one=found,
        name=names.get(found.integration_id or ""),
        look=look,
        words=words,
        history=history,
        sees_accounts=viewer.caller.may(Scope.INSTALLATIONS_READ, Scope.MARKETPLACE_PARTNER),
    )


async def _page(viewer: Viewer, account: str, after: str) -> InstallationPage:
    """Of one account, where one is named. The reach of a caller that is bound to marketplaces stays as it is."""
    caller = viewer.caller
    if account and caller.account_id is None and caller.marketplaces is None:
        caller = replace(caller, account_id=account)
    page = await viewer.services.installer.list(caller, after, MOST_LOOKED_AT if not account else PAGE)
    items = [one for one in page.items if account in ("", one.account_id)]
    return InstallationPage(items, page.after)


def _fits(one: Installation, integration: str, standing: Standing | None) -> bool:
    named = integration in ("", one.integration_id, one.connector_id, one.product_id)
    return named and standing in (None, one.standing)


def _standing(text: str) -> Standing | None:
    try:
        return Standing(text) if text else None
    except ValueError:
        raise InvalidRequest.of("invalid_value", "Choose one of the list.", "standing") from None
