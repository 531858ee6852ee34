"""Connectors of an account, as host applications list, install and change them.

An AuthValue is shown in clear to partners only, and each such answer is written to the audit log before it is given.
"""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import author_of, noting
from dispatcher.api.embedding.accounts import account_in
from dispatcher.api.embedding.connector_fields import connector_in, connector_json, masked
from dispatcher.api.embedding.fields import Fields, read_fields
from dispatcher.api.http.request.numbers import number_in_path
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Handler, Route
from dispatcher.api.installing import INSTALLING
from dispatcher.api.services import SERVICES
from dispatcher.flow.connectors.connectors import Seen
from dispatcher.model.access import Scope
from dispatcher.model.account import Account
from dispatcher.model.audit_entry import Action
from dispatcher.model.connector import AccountConnector
from dispatcher.model.deployment import ConnectorAsked
from dispatcher.policy.installing.marketplace_access import reach_of

_NO_STORE = {"Cache-Control": "no-store"}


async def list_connectors(request: web.Request) -> web.StreamResponse:
    """Every connector of the account: the token's own, or the one that the header X-Cyclr-Account names."""
    account = await account_in(request)
    found = await request.app[INSTALLING].connectors.of_account(account.id)
    return await _shown(request, account, found, as_list=True)


async def install_connector(request: web.Request) -> web.StreamResponse:
    """A further connector of the account, from a template, as a Standard one is."""
    account, fields = await account_in(request), await read_fields(request)
    installing, services = request.app[INSTALLING], request.app[SERVICES]
    reach = reach_of(request[CALLER])
    template = await installing.templates.within(reach).get(number_in_path(request, "templateId"))
    await installing.connectors.planner.require(template, await services.marketplaces.get(account.marketplace_id))
    asked = connector_in(fields, template.name)
    note = noting(request, "installConnector")
    made = await installing.connectors.install(template, asked, account.id, services.now_ms(), note)
    return await _shown(request, account, [await installing.connectors.seen(made)])


async def change_connector(request: web.Request) -> web.StreamResponse:
    """Only what is mentioned. A masked AuthValue stays as it is; an empty one is taken away."""
    account, fields = await account_in(request), await read_fields(request)
    installing, services = request.app[INSTALLING], request.app[SERVICES]
    changed = await installing.connectors.change(
        account.id,
        number_in_path(request, "connectorId"),
        lambda current: _asked(fields, current),
        services.now_ms(),
        noting(request, "changeConnector"),
        by_user=not _is_partner(request),
    )
    return await _shown(request, account, [await installing.connectors.seen(changed)])


async def delete_connector(request: web.Request) -> web.StreamResponse:
    """204. 409 while something installed in the account uses it."""
    account, installing = await account_in(request), request.app[INSTALLING]
    number = number_in_path(request, "connectorId")
    await installing.removal.remove(account.id, number, noting(request, "deleteConnector"))
    return web.Response(status=204)


def _asked(fields: Fields, current: AccountConnector) -> ConnectorAsked:
    return connector_in(fields, current.name)


async def _shown(
    request: web.Request, account: Account, found: list[Seen], *, as_list: bool = False
) -> web.StreamResponse:
    clear = _is_partner(request)
    if clear and any(one.connector.auth_value for one in found):
        await _note_reading(request, account)
    opened = request.app[INSTALLING].connectors.opened
    shown = [connector_json(one, opened(one.connector) if clear else masked(one)) for one in found]
    return json_response(shown if as_list else shown[0], headers=_NO_STORE)


async def _note_reading(request: web.Request, account: Account) -> None:
    """Refuses one who cannot be put on record."""
    services = request.app[SERVICES]
    action = Action(author_of(request), "readAuthValues", "account", account.id, services.now_ms())
    await services.audit.append(action)


def _is_partner(request: web.Request) -> bool:
    caller = request[CALLER]
    return caller.account_id is None and caller.may(Scope.MARKETPLACE_PARTNER)


_READ = (Scope.INSTALLATIONS_READ, Scope.MARKETPLACE_PARTNER)
_WRITE = (Scope.INSTALLATIONS_WRITE, Scope.MARKETPLACE_PARTNER)
_ROWS: tuple[tuple[str, str, Handler, tuple[Scope, ...], str], ...] = (
    ("GET", "/v1.0/account/connectors", list_connectors, _READ, "List an account's connectors"),
    ("GET", "/account/connectors", list_connectors, _READ, "List an account's connectors"),
    ("PUT", "/v1.0/account/connectors/{connectorId}", change_connector, _WRITE, "Change an account's connector"),
    ("POST", "/v1.0/connectors/{templateId}/install", install_connector, _WRITE, "Install a connector"),
)

ROUTES: tuple[Route, ...] = (
    *(Route(*row, answers={200: None}, tag="embedding", vendors=True, partners=True, changes=True) for row in _ROWS),
    Route(
        "DELETE",
        "/v1.0/account/connectors/{connectorId}",
        delete_connector,
        _WRITE,
        "Delete an account's connector",
        answers={204: None},
        tag="embedding",
        vendors=True,
        partners=True,
        changes=True,
    ),
)
