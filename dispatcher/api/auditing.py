"""Writes down who does what before it is done. Changes nothing itself.

A change of definitions or clients is written in the same step as its entry. Any other is written down first, as
"requested", and not done if that fails; one that is refused then gets a second entry with the code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from dispatcher.api.http.request.origin import address_of
from dispatcher.api.http.response.middleware import REQUEST_ID
from dispatcher.api.http.route import CALLER
from dispatcher.api.services import SERVICES
from dispatcher.errors import RequestError
from dispatcher.model.audit_entry import Action, Author
from dispatcher.store.audit_log.log import AuditLog, Noting


def author_of(request: web.Request) -> Author:
    """The author of the request, for the audit log."""
    caller = request[CALLER]
    address = address_of(request, request.app[SERVICES].deployment.trusted_proxies)
    return Author(caller.client_id, tuple(sorted(caller.scopes)), address, request[REQUEST_ID])


def noting(request: web.Request, action: str) -> Noting:
    """For stores that note a change in the same step."""
    services = request.app[SERVICES]
    return Noting(services.audit, author_of(request), action, services.now_ms())


@asynccontextmanager
async def noted(
    request: web.Request,
    name: str,
    kind: str,
    object_id: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> AsyncIterator[None]:
    """Around a change. ``before`` and ``after`` hold no secret. ``StoreUnavailable`` = it is not to be done."""
    now = noting(request, name)
    action = Action(now.author, name, kind, object_id, now.at_ms, before, after)
    async with written_down(now.log, action):
        yield


@asynccontextmanager
async def written_down(log: AuditLog, action: Action) -> AsyncIterator[None]:
    """The same for a action that is put together already."""
    await log.append(action)
    try:
        yield
    except RequestError as error:
        code = error.problems[0].code if error.problems else str(error.status)
        await log.append(replace(action, before=None, after=None, outcome=code))
        raise
