"""URLs of an integration: what goes where, which of them answered 410 Gone, and sending there again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.console.frame.sentences import back
from dispatcher.console.integrations.subject import Subject
from dispatcher.errors import NotFound
from dispatcher.flow.events.acting.suspended_urls import enable_url, published_now, suspended_urls
from dispatcher.model.event_type import TYPE_RULES, URL_FIELDS, EventType, parse_event_type


@dataclass(frozen=True, slots=True)
class Address:
    """One URL as it is published and as WORKING has it; None = there is none."""

    field: str
    types: Sequence[EventType]
    published: str | None
    working: str | None


async def show_urls(request: web.Request, subject: Subject) -> web.StreamResponse:
    """Those that are suspended first."""
    integration, services = subject.integration, subject.viewer.services
    published = await published_now(integration, subject.definitions)
    known = published.urls if published else {}
    return subject.page(
        request,
        "/urls",
        suspended=await suspended_urls(integration, subject.definitions, services.reads),
        addresses=[
            Address(name, _types(name), known.get(name), integration.working.urls.get(name)) for name in URL_FIELDS
        ],
    )


async def enable(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    """Parked events go on, oldest first."""
    integration, services = subject.integration, subject.viewer.services
    kind = parse_event_type(fields.get("eventType", ""))
    if kind is None:
        raise NotFound.of("not_found", "There is no such event type.", "eventType")
    async with noted(request, "enableSuspendedUrl", "lane", integration.id, after={"eventType": kind.value}):
        enabled = await enable_url(integration, kind, subject.definitions, services.queue)
    return back(f"{subject.path}/urls", "enabled" if enabled.was_suspended else "not-suspended")


def _types(field: str) -> list[EventType]:
    return [kind for kind, rule in TYPE_RULES.items() if rule.url_field == field and rule.configurable]
