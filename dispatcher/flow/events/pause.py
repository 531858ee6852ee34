"""Pause and resume: hold an integration's events back, and let them go on. Operators are notified of both."""

from __future__ import annotations

from dispatcher.model.operational import Notify, OperationalEvent, OperationalKind
from dispatcher.store.queue.events import QueueStore


async def pause(integration_id: str, queue: QueueStore, notify: Notify, now_ms: int) -> None:
    """Events are accepted and held until the lane is resumed."""
    await queue.pause(integration_id)
    notify(OperationalEvent(OperationalKind.INTEGRATION_PAUSED, integration_id, now_ms))


async def resume(integration_id: str, queue: QueueStore, notify: Notify, now_ms: int) -> None:
    """Held events go on in their order; URLs suspended after 410 Gone are tried again."""
    released = await queue.resume(integration_id)
    notify(OperationalEvent(OperationalKind.INTEGRATION_RESUMED, integration_id, now_ms, detail={"released": released}))
