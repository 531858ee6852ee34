"""Pause and resume: hold an integration's events back, and let them go on. Operators are notified of both."""

from __future__ import annotations

from dispatcher.clock import iso_ms
from dispatcher.flow.events.acting.suspended_urls import published_now
from dispatcher.model.integration import Integration
from dispatcher.model.operational import Notify, OperationalEvent, OperationalKind
from dispatcher.model.queue import Pause
from dispatcher.policy.pace.suspended_urls import left_behind
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.queue.events import QueueStore


async def pause(integration_id: str, hold: Pause, queue: QueueStore, notify: Notify, now_ms: int) -> None:
    """Events are accepted and held until the lane is resumed, or the pause ends by itself."""
    await queue.pause(integration_id, hold)
    shown = {"by": hold.by, "reason": hold.reason, "until": iso_ms(hold.until_ms) if hold.until_ms else None}
    detail = {name: value for name, value in shown.items() if value}
    notify(OperationalEvent(OperationalKind.INTEGRATION_PAUSED, integration_id, now_ms, detail=detail))


async def resume(
    integration: Integration, definitions: Definitions, queue: QueueStore, notify: Notify, now_ms: int
) -> None:
    """Held events go on in their order; URLs suspended after 410 Gone are tried again where they are still published.

    What was for any other goes to the URL that is published now.
    """
    published = await published_now(integration, definitions)
    gone = left_behind(integration, published, await queue.suspended_urls(integration.id))
    released = await queue.resume(integration.id, gone)
    notify(OperationalEvent(OperationalKind.INTEGRATION_RESUMED, integration.id, now_ms, detail={"released": released}))
