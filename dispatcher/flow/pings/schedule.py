"""Pings on schedule: which integrations are due, and the test that each of them gets. Sends nothing itself."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from dispatcher.errors import RequestError
from dispatcher.flow.pings.request import DEFAULT_TIMEOUT_S, PingOptions, PingStarter, configured_types, request_ping
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.integration import Integration, Revision
from dispatcher.model.ping import PingTrigger, PingVersion
from dispatcher.store.definitions.editing import Definitions

MINUTE_MS = 60_000
AT_ONCE = 20
"""Integrations that one round takes."""


async def plan_probes(definitions: Definitions, integration: Integration) -> None:
    """Have it pinged soon, and from then on at its interval; one without an interval is never pinged by itself."""
    if integration.probe_interval_minutes is None:
        await definitions.pings_due.drop(integration.id)
    else:
        await definitions.pings_due.at(integration.id, 0)


@dataclass(frozen=True, slots=True)
class Probing:
    """One round of it; any worker may run one at any time, an integration that is due is taken once."""

    definitions: Definitions
    starter: PingStarter
    timeout_s: float = DEFAULT_TIMEOUT_S
    """Of a version that states none."""

    async def once(self) -> int:
        """Start the test of each integration that is due; returns how many there were."""
        taken = await self.definitions.pings_due.take(AT_ONCE)
        for integration_id in taken.ids:
            await self._probe(integration_id, taken.now_ms)
        return len(taken.ids)

    async def _probe(self, integration_id: str, now_ms: int) -> None:
        integration = await self.definitions.integration(integration_id)
        if integration is None or integration.probe_interval_minutes is None:
            await self.definitions.pings_due.drop(integration_id)
            return
        next_ms = now_ms + integration.probe_interval_minutes * MINUTE_MS
        await self.definitions.pings_due.put_off(integration_id, next_ms)
        version = PingVersion.PUBLISHED if integration.published_revision else PingVersion.WORKING
        revision = await self.definitions.revision(integration_id, integration.published_revision or 0)
        with contextlib.suppress(RequestError):
            await request_ping(
                self.definitions,
                self.starter,
                integration_id,
                version,
                one_for_each_url(revision or integration.working),
                now_ms,
                PingOptions(trigger=PingTrigger.SCHEDULE, timeout_s=self.timeout_s),
            )


def one_for_each_url(revision: Revision) -> list[EventType]:
    """The fewest types that reach every URL once: often one URL takes them all."""
    by_url: dict[str, EventType] = {}
    for kind in configured_types(revision):
        by_url.setdefault(revision.urls[TYPE_RULES[kind].url_field], kind)
    return list(by_url.values())
