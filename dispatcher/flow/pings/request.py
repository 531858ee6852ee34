"""Asks for a ping test: checks that it makes sense, writes it down as running, and hands it on. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dispatcher.errors import Conflict, Unprocessable
from dispatcher.ids import new_uuid
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.integration import WORKING, Integration, Revision
from dispatcher.model.ping import PingResult, PingStatus, PingTest, PingTrigger, PingVersion
from dispatcher.store.definitions.editing import Definitions

QUEUED_S = 30.0
"""Longest wait of a test for a worker."""
DEFAULT_TIMEOUT_S = 30.0
OVERHEAD_S = 20.0
"""A token and a connection, each at its slowest."""
SECURITY_REQUESTS = 6


class PingStarter(Protocol):
    """Starts a ping test that is in ``definitions.pings`` of the integration already."""

    async def start(self, integration: Integration, test: PingTest) -> None:
        """Have it run in the background."""


@dataclass(frozen=True, slots=True)
class PingRequested:
    """The integration and version under test, and the test as it was stored."""

    integration: Integration
    revision: Revision
    test: PingTest


@dataclass(frozen=True, slots=True)
class PingOptions:
    """``security``: also send what the host has to refuse. ``timeout_s``: of a version that states none."""

    security: bool = False
    trigger: PingTrigger = PingTrigger.REQUEST
    timeout_s: float = DEFAULT_TIMEOUT_S


async def request_ping(
    definitions: Definitions,
    starter: PingStarter,
    any_id: str,
    version: PingVersion,
    event_types: Sequence[EventType] | None,
    now_ms: int,
    options: PingOptions = PingOptions(),
) -> PingRequested:
    """Start a test of these types, or of one type for each configured URL when None.

    Raises ``NotFound``, ``Conflict`` before the first publish, and ``Unprocessable`` for types that cannot be pinged.
    """
    integration = await definitions.needed(any_id)
    revision = await _revision(definitions, integration, version)
    chosen = _chosen(revision, event_types)
    waiting = tuple(PingResult(kind, url=revision.urls.get(TYPE_RULES[kind].url_field)) for kind in chosen)
    test = PingTest(
        id=new_uuid(),
        version=version,
        status=PingStatus.RUNNING,
        started_ms=now_ms,
        revision=revision.number,
        results=waiting,
        deadline_ms=now_ms + int(_longest_s(revision, options) * 1000),
        security=options.security,
        trigger=options.trigger,
    )
    await definitions.pings.add(integration.id, test)
    await starter.start(integration, test)
    return PingRequested(integration, revision, test)


def configured_types(revision: Revision) -> list[EventType]:
    """One type for each configured URL; never the status notifications that we send on our own."""
    by_field: dict[str, EventType] = {}
    for kind, rule in TYPE_RULES.items():
        if rule.emitted_by_callers and rule.url_field in revision.urls:
            by_field.setdefault(rule.url_field, kind)
    return list(by_field.values())


def _longest_s(revision: Revision, options: PingOptions) -> float:
    """From the request to the outcome; types are tested at once, security checks one after the other."""
    timeout_s = revision.retry.timeout_s or options.timeout_s
    return QUEUED_S + OVERHEAD_S + timeout_s * (1 + SECURITY_REQUESTS * options.security)


async def _revision(definitions: Definitions, integration: Integration, version: PingVersion) -> Revision:
    if version is PingVersion.WORKING:
        return integration.working
    number = integration.published_revision or WORKING
    published = await definitions.revision(integration.id, number) if number else None
    if published is None:
        raise Conflict.of("not_published", "Publish the integration before you ping its PUBLISHED version.", "version")
    return published


def _chosen(revision: Revision, event_types: Sequence[EventType] | None) -> list[EventType]:
    chosen = configured_types(revision) if event_types is None else list(dict.fromkeys(event_types))
    refused = [kind.value for kind in chosen if not TYPE_RULES[kind].emitted_by_callers]
    if refused:
        text = f"{', '.join(refused)} cannot be pinged: only the dispatcher itself sends it."
        raise Unprocessable.of("not_pingable", text, "eventTypes")
    if not chosen:
        text = "There is nothing to ping: configure a URL, or name the event types."
        raise Unprocessable.of("nothing_to_ping", text, "eventTypes")
    return chosen
