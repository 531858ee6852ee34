"""Notifies operators: as events of an integration of their own, delivered by the same pipeline.

There are none about that integration itself, so it never feeds itself. Notifying never waits and never fails: what
cannot be queued now is queued when the store is back, up to ``MAX_UNSENT``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from dispatcher.clock import iso_ms
from dispatcher.errors import DispatcherError
from dispatcher.ids import new_event_id
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.operational import OPERATIONS, Bundle, OperationalEvent
from dispatcher.policy.bundling import Bundling
from dispatcher.store.queue.events import QueueStore

FLUSH_EVERY_S = 1.0
MAX_UNSENT = 1000

log = structlog.get_logger("operations")


class OperationalEvents:
    """One per process. ``notify`` from anywhere; ``flush``, every second, queues what is due."""

    def __init__(self, queue: QueueStore, now_ms: Callable[[], int], bundling: Bundling | None = None) -> None:
        self._queue = queue
        self._now_ms = now_ms
        self._bundling = bundling or Bundling()
        self._unsent: list[Event] = []

    def notify(self, event: OperationalEvent) -> None:
        if event.integration_id != OPERATIONS:
            self._bundling.add(event)

    async def flush(self, *, everything: bool = False) -> None:
        """Queue what is due. A repeat after a lost reply makes no second event: each keeps its id."""
        now_ms = self._now_ms()
        self._unsent += [self._event(bundle, now_ms) for bundle in self._bundling.take(now_ms, everything=everything)]
        if not self._unsent:
            return
        try:
            await self._queue.accept(self._unsent)
        except DispatcherError as error:
            log.warning("operational events wait", waiting=len(self._unsent), error=str(error))
        except Exception:  # notifying must never end a process that delivers
            log.exception("operational events wait", waiting=len(self._unsent))
        else:
            self._unsent = []
        self._unsent = self._unsent[-MAX_UNSENT:]

    def _event(self, bundle: Bundle, now_ms: int) -> Event:
        """In order per integration that it is about."""
        return Event(
            id=new_event_id(now_ms, self._queue.partition_of(OPERATIONS)),
            type=EventType.OPERATIONAL,
            integration_id=OPERATIONS,
            revision=1,
            account_id=bundle.integration_id,
            payload={"kind": bundle.last.kind.value, "data": _data(bundle)},
        )


def _data(bundle: Bundle) -> dict[str, Any]:
    first, last = bundle.first, bundle.last
    return {
        "integrationId": bundle.integration_id,
        "count": bundle.count,
        "firstAt": iso_ms(first.at_ms),
        "lastAt": iso_ms(last.at_ms),
        "firstEventId": first.event_id,
        "lastEventId": last.event_id,
        **last.detail,
    }
