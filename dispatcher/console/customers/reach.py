"""Marketplaces, accounts and templates that exist for a viewer: stores narrowed as the API narrows them."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.installing import INSTALLING
from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.integrations.subject import refuse_bound_to_marketplaces
from dispatcher.errors import InvalidRequest
from dispatcher.flow.connectors.templates import TemplateDesk
from dispatcher.flow.sessions.marketplaces import MarketplaceDesk
from dispatcher.policy.installing.marketplace_access import reach_of
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.installations.parties.accounts import AccountStore
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.installations.parties.templates import TemplateStore

MAX_ID = 2**31 - 1


def marketplaces_of(viewer: Viewer) -> MarketplaceStore:
    return viewer.services.marketplaces.within(reach_of(viewer.caller))


async def accounts_of(request: web.Request, viewer: Viewer) -> AccountStore:
    return request.app[INSTALLING].accounts.within(await marketplaces_of(viewer).reach())


def templates_of(request: web.Request, viewer: Viewer) -> TemplateStore:
    refuse_bound_to_marketplaces(viewer.caller)
    return request.app[INSTALLING].templates.within(reach_of(viewer.caller))


def marketplace_desk(viewer: Viewer, noting: Noting) -> MarketplaceDesk:
    services, caller = viewer.services, viewer.caller
    definitions = services.definitions.of_vendor(caller.vendor_id)
    store, url_rule = marketplaces_of(viewer).noted(noting), services.deployment.url_problem
    return MarketplaceDesk(store, definitions, services.sealer, url_rule, reach_of(caller))


def template_desk(request: web.Request, viewer: Viewer, noting: Noting) -> TemplateDesk:
    services = viewer.services
    definitions, url_rule = services.definitions.of_vendor(viewer.caller.vendor_id), services.deployment.url_problem
    return TemplateDesk(templates_of(request, viewer).noted(noting), definitions, services.sealer, url_rule)


def number(text: str, field: str) -> int:
    """The number of a marketplace or a template. Raises ``InvalidRequest`` for anything else."""
    if text.isascii() and text.isdigit() and len(text) < 11 and 0 < int(text) <= MAX_ID:
        return int(text)
    raise InvalidRequest.of("invalid_value", f"Give a whole number from 1 to {MAX_ID}.", field)
