"""A worker moved by hand beside an API: single events are claimed, and attempted with the end that a test wants.

Holds no test.
"""

from __future__ import annotations

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claimed, Settlement
from tests.api.conftest import Api
from tests.hand_worker import RETENTION_MS, HandWorker

URL = "https://host.example/hook"
STARTED_MS = 1_700_000_000_123


class WorkerHand:
    def __init__(self, api: Api, retention_ms: int = RETENTION_MS) -> None:
        self._worker = HandWorker(api.redis, api.services.queue.partitions, name="hand", retention_ms=retention_ms)

    @property
    def generations(self) -> dict[int, int]:
        """Of the partitions that it has taken up."""
        return self._worker.generations

    async def claim(self, event_id: str) -> Claimed:
        """Take the event and nothing else."""
        return await self._worker.take(event_id)

    async def settle(self, event_id: str, to: Status, delay_ms: int = 0, http_status: int = 500) -> None:
        """One whole attempt that ends as told."""
        claimed, fine = await self.claim(event_id), to is Status.SUCCEEDED
        outcome = Outcome.OK if fine else Outcome.HTTP_ERROR
        attempt = Attempt(claimed.n, STARTED_MS, 12.5, URL, outcome, http_status, response_body="oh", worker="hand")
        code, text = (None, None) if fine else ("UNKNOWN_ERROR", "answered 500")
        partition = self._worker.partition_of(event_id)
        assert await self._worker.settle(partition, [Settlement(claimed, to, delay_ms, attempt, code, text)]) == 1

    async def settle_late(self, claimed: Claimed, attempt: Attempt) -> None:
        """The end of an attempt whose event was concluded meanwhile: it counts for nothing."""
        partition = self._worker.partition_of(claimed.event.id)
        assert await self._worker.settle(partition, [Settlement(claimed, Status.SUCCEEDED, 0, attempt)]) == 0
