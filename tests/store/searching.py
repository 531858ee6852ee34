"""Events that searches find. Holds no test."""

from __future__ import annotations

from typing import Any

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.store.queue.owning.claims import Settlement
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk


def wanted(text: str, now_ms: int = 0) -> EventFilter:
    return read_filter(text, now_ms, of_failures=True)


async def found(desk: Desk, text: str, *, limit: int = 100, **more: Any) -> list[str]:
    """Ids of all pages, in their order."""
    condition = EventFilter(**more) if more else wanted(text)
    cursor, ids = None, list[str]()
    while cursor is not None or not ids:
        page = await desk.queue.page(condition, cursor, limit)
        ids += [item.event.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    return ids


async def emit(desk: Desk, account: str | None, **more: Any) -> str:
    event = event_of(LANE, PARTITIONS, account, **more)
    await desk.queue.accept([event])
    return event.id


async def end(desk: Desk, event_id: str, status: Status, **more: Any) -> None:
    """After one attempt, unless ``attempt`` says otherwise."""
    await desk.claim()
    claimed = desk.claimed[event_id]
    attempt = more.pop("attempt", Attempt(claimed.n, 1, 2.0, "https://u:p@API.acme.example:8443/x?y", Outcome.OK, 200))
    delay_ms = more.pop("delay_ms", 0)
    assert await desk.worker.settle(
        HOME, [Settlement(claimed, status, delay_ms, attempt._replace(n=claimed.n), **more)]
    )
