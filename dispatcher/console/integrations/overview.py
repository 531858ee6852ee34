"""One integration at a glance: whether it delivers, why it waits, its products; publish, link and unlink."""

from __future__ import annotations

import asyncio

from aiohttp import web

from dispatcher.console.frame.precondition import as_drawn
from dispatcher.console.frame.sentences import back
from dispatcher.console.integrations.contents import contents
from dispatcher.console.integrations.listing import problems_of, state_of
from dispatcher.console.integrations.subject import Subject
from dispatcher.console.operating.remedies import troubles
from dispatcher.errors import RequestError
from dispatcher.model.access import Scope
from dispatcher.model.event_type import URL_FIELDS
from dispatcher.pages.forms import wrongs


async def show_integration(request: web.Request, subject: Subject) -> web.StreamResponse:
    return await _page(request, subject)


async def publish(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    """Make what was looked at the revision; the page again when somebody changed it meanwhile."""
    try:
        await subject.desk(request, "publishProductIntegration").publish(subject.integration.id, as_drawn(fields))
    except RequestError as error:
        return await _page(request, subject, wrongs(error), error.status)
    return back(subject.path, "published")


async def link(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    product_id = fields.get("productId", "").strip()
    try:
        await subject.desk(request, "linkProductIntegration").link(product_id, subject.integration.id)
    except RequestError as error:
        return await _page(request, subject, {"productId": str(error)}, error.status, product_id)
    return back(subject.path, "linked")


async def unlink(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    try:
        await subject.desk(request, "unlinkProductIntegration").unlink(
            fields.get("productId", ""), subject.integration.id
        )
    except RequestError as error:
        return await _page(request, subject, {"": str(error)}, error.status)
    return back(subject.path, "unlinked")


async def _page(
    request: web.Request, subject: Subject, wrong: dict[str, str] | None = None, status: int = 200, product: str = ""
) -> web.Response:
    integration, viewer = subject.integration, subject.viewer
    lane, problems, last_ping, changed = await asyncio.gather(
        viewer.services.reads.lane(integration.id),
        problems_of(viewer),
        subject.definitions.pings.last(integration.id),
        _unpublished(subject),
    )
    return subject.page(
        request,
        "",
        status,
        states=state_of(
            integration, lane if viewer.sees_overview else None, viewer.now_ms, problems.get(integration.id, [])
        ),
        lane=lane if viewer.sees_overview else None,
        troubles=troubles(problems.get(integration.id, []), viewer),
        last_ping=last_ping,
        changed=changed,
        urls=[(name, integration.working.urls[name]) for name in URL_FIELDS if name in integration.working.urls],
        pauses=viewer.caller.may(Scope.OPS_WRITE),
        wrong=wrong or {},
        product=product,
    )


async def _unpublished(subject: Subject) -> bool:
    """True when WORKING differs from what is published."""
    integration = subject.integration
    if integration.published_revision is None:
        return True
    published = await subject.definitions.revision(integration.id, integration.published_revision)
    return published is None or contents(integration, published) != contents(integration, integration.working)
