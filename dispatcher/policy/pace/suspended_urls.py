"""URLs that answered 410 Gone, beside what is published now: those to enable, and those that events are to leave."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.integration import Integration, Revision


@dataclass(frozen=True, slots=True)
class SuspendedUrl:
    """``event_type`` None: no type goes there. ``published``: it is in what is published now."""

    event_type: EventType | None
    url: str
    since_ms: int
    published: bool


def published_no_more(integration: Integration, published: Revision | None, suspended: Collection[str]) -> list[str]:
    """Those that no type goes to, so that nothing will answer there again."""
    return [url for url in left_behind(integration, published, suspended) if url not in _urls(published)]


def left_behind(integration: Integration, published: Revision | None, suspended: Collection[str]) -> list[str]:
    """Those that some type may have been moved from: what is for them goes where its type goes by now.

    None of an integration whose URLs an account's connector fills in: such a URL is in no revision as it is sent.
    """
    if published is None or integration.account_bound:
        return []
    now = _urls(published)
    return sorted(url for url in set(suspended) if now != {url})


def by_type(revision: Revision, since_ms: Mapping[str, int], published: Revision | None) -> list[SuspendedUrl]:
    """One for each event type that goes to a suspended URL in ``revision``, longest suspended first."""
    urls = _urls(published)
    return [
        SuspendedUrl(kind, url, at_ms, url in urls)
        for url, at_ms in sorted(since_ms.items(), key=lambda one: one[1])
        for kind in _types_to(url, revision)
    ]


def url_of(revision: Revision, kind: EventType) -> str | None:
    """The URL that events of the type go to."""
    return revision.urls.get(TYPE_RULES[kind].url_field)


def _urls(published: Revision | None) -> set[str]:
    return set(published.urls.values()) if published else set()


def _types_to(url: str, revision: Revision) -> list[EventType | None]:
    going: list[EventType | None] = [
        kind for kind, rule in TYPE_RULES.items() if rule.configurable and revision.urls.get(rule.url_field) == url
    ]
    return going or [None]
