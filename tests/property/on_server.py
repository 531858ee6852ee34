"""A state machine whose steps talk to one partition on a real server, and what they draw. Holds no rule and no test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from redis.asyncio import Redis

from dispatcher.store.queue.events import QueueStore
from tests.hand_worker import RETENTION_MS, HandWorker
from tests.property.queue_model import ACCOUNTS, ENDINGS, FIRST_CAP, LANES, QueueModel

T = TypeVar("T")
LANE, ACCOUNT, AT_MOST = st.sampled_from(LANES), st.sampled_from(ACCOUNTS), st.integers(1, 8)
ENDING = st.sampled_from(ENDINGS)


class OnServer(RuleBasedStateMachine):
    """Steps are synchronous: each waits for its replies. ``model`` is what should be there. ``url`` is a subclass's."""

    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.model = QueueModel()
        self.runner = asyncio.Runner()
        self.redis = Redis.from_url(self.url)
        self.queue = QueueStore(self.redis, partitions=1, retention_ms=RETENTION_MS)
        self.worker = HandWorker(self.redis, 1, lane_cap=FIRST_CAP)
        self.store = self.worker.store

    def teardown(self) -> None:
        self.run(self.redis.aclose())
        self.runner.close()

    def run(self, reply: Awaitable[T]) -> T:
        async def wait() -> T:
            return await reply

        return self.runner.run(wait())

    def ask(self, reply: Any) -> Any:
        """redis-py types its replies as values or awaitables of them."""
        return self.run(reply)
