"""Deliver now: bring the next attempt of a RETRYING event forward. It counts as its next try, and no order changes.

The store decides whether the event may go. What holds its integration back still holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.event import no_such_event
from dispatcher.model.queue import Explanation, StoredEvent
from dispatcher.store.queue.events import QueueStore


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An event whose next attempt is due, and what it waits for yet, both as of one moment."""

    stored: StoredEvent
    explanation: Explanation


async def deliver_now(event_id: str, queue: QueueStore) -> Forwarded:
    """Raises ``NotFound``, and ``Conflict`` unless it is RETRYING and first of its account."""
    await queue.bring_forward(event_id)
    found = await queue.explained(event_id)
    if found is None:
        raise no_such_event()
    return Forwarded(*found)
