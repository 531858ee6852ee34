"""Events that keep an integration from being deleted."""

from __future__ import annotations

from dispatcher.errors import Conflict
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import TERMINAL, Status
from dispatcher.store.queue.events import QueueStore

_OPEN = frozenset(Status) - TERMINAL


async def refuse_waiting(integration_id: str, queue: QueueStore) -> None:
    """Raises ``Conflict`` with how many events of the integration have not ended."""
    condition = EventFilter(statuses=_OPEN, types=frozenset(EventType), integration_id=integration_id)
    waiting = (await queue.count(condition)).matched
    if waiting:
        text = (
            f"{waiting} events of it have not ended: wait for them or resolve them;"
            " or delete it with discardWaitingEvents, and they end as DEAD."
        )
        raise Conflict.of("events_waiting", text, "id")
