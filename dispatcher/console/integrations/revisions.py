"""Published revisions, and what differs between two of them. Changes nothing."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.integrations.contents import contents, differences
from dispatcher.console.integrations.subject import Subject
from dispatcher.errors import InvalidRequest, NotFound
from dispatcher.model.integration import WORKING, Revision

SHOWN = 50
_WORKING = "WORKING"
KNOWN = {"from": False, "to": False, "said": False}


async def show_revisions(request: web.Request, subject: Subject) -> web.StreamResponse:
    """The published version against WORKING, unless two others are asked for."""
    refuse_unheeded(request, KNOWN)
    integration, newest = subject.integration, subject.integration.published_revision
    before = await _revision(subject, request.query.get("from") or (str(newest) if newest else _WORKING), "from")
    after = await _revision(subject, request.query.get("to") or _WORKING, "to")
    return subject.page(
        request,
        "/revisions",
        revisions=[*reversed(await subject.definitions.revisions(integration.id, SHOWN))],
        before=_name(before),
        after=_name(after),
        differences=differences(contents(integration, before), contents(integration, after)),
    )


def _name(revision: Revision) -> str:
    return _WORKING if revision.number == WORKING else str(revision.number)


async def _revision(subject: Subject, asked: str, field: str) -> Revision:
    if asked == _WORKING:
        return subject.integration.working
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise InvalidRequest.of("invalid_value", f"Give the number of a revision, or {_WORKING}.", field)
    found = await subject.definitions.revision(subject.integration.id, int(asked)) if int(asked) else None
    if found is None:
        raise NotFound.of("not_found", "There is no such revision.", field)
    return found
