"""Events on both sides of the border. Holds no test."""

from __future__ import annotations

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.policy.integration_filter.filter import FILTERED
from dispatcher.store.queue.owning.claims import Settlement
from tests.events import event_of
from tests.store.archive.history import History
from tests.store.desk import LANE, PARTITIONS

ELSEWHERE = "8f157a26-0238-4f3f-9c31-1f3e65b4713f"
"""An integration in another partition."""
OK = Attempt(1, 1, 2.0, "https://u:p@API.acme.example:8443/x?y", Outcome.OK, 200, response_body="well")
CREATED = OK._replace(url="http://other.example/", http_status=201)


class Mixed:
    """Events of all kinds that have ended in all ways, in two partitions."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.ids: list[str] = []

    async def add(self, to: Status, attempt: Attempt | None = OK, lane: str = LANE, **more: object) -> Event:
        desk = self.history.desk
        account = more.pop("account", "A")
        event = event_of(lane, PARTITIONS, account, **more)  # type: ignore[arg-type]
        await desk.queue.accept([event])
        claimed = await desk.worker.take(event.id)
        error = FILTERED if to is Status.SKIPPED else None
        settlement = Settlement(claimed, to, 0, attempt, error_code=error, error_message=error and "left out")
        assert await desk.worker.settle(desk.worker.partition_of(event.id), [settlement]) == 1
        self.ids.append(event.id)
        return event

    async def fill(self) -> None:
        payload = {"order": {"id": 4711, "lines": ["a", "b"]}, "flag": True, "none": None}
        await self.add(Status.SUCCEEDED, payload=payload, client_id="me")
        await self.add(Status.SUCCEEDED, CREATED, product_id="Q", client_id="other", account="B")
        await self.add(Status.SKIPPED, None, account=None)
        await self.add(Status.SKIPPED, None, account="B", kind=EventType.SUBSCRIPTION_ORDER)
        await self.add(Status.SUCCEEDED, kind=EventType.SUBSCRIPTION_STATUS)
        await self.add(Status.SUCCEEDED, CREATED, lane=ELSEWHERE, account="B", product_id="Q")
        await self.add(Status.DEAD, OK._replace(http_status=500, outcome=Outcome.HTTP_ERROR))
        await self.add(Status.SUCCEEDED, lane=ELSEWHERE, payload={"order": {"id": "4711"}})
        resolved = await self.add(Status.DEAD, account="C")
        await self.history.queue.resolve(resolved.id)

    async def all(self, condition: EventFilter, limit: int) -> list[object]:
        cursor, items = None, list[object]()
        while True:
            page = await self.history.queue.page(condition, cursor, limit)
            assert len(page.items) <= limit
            items += page.items
            cursor = page.next_cursor
            if cursor is None:
                return items
