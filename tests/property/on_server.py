"""A state machine whose steps talk to one partition on a real server, and what they draw. Holds no rule and no test.

The order in which a server hands out what became due in one millisecond differs from run to run. So what is drawn, and
whether a rule may be drawn, never depends on what a server said: ``PICK`` and ``only_if`` stand for ``sampled_from``
and ``precondition``, whose changed choices would read as a flaky test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from redis.asyncio import Redis

from dispatcher.store.queue.events import QueueStore
from tests.hand_worker import RETENTION_MS, HandWorker
from tests.property.queue_model import ACCOUNTS, ENDINGS, FIRST_CAP, LANES, QueueModel

T = TypeVar("T")
P = ParamSpec("P")
PICK = st.integers(0, 2**16)
LANE, ACCOUNT, AT_MOST = st.sampled_from(LANES), st.sampled_from(ACCOUNTS), st.integers(1, 8)
ENDING = st.sampled_from(ENDINGS)


def picked(pick: int, ids: Iterable[str]) -> str:
    """One of ``ids``, which are not empty, by a number drawn without a look at them."""
    among = sorted(ids)
    return among[pick % len(among)]


def only_if(condition: Callable[[Any], object]) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Makes a step of a machine one that does nothing while ``condition`` is false for that machine."""

    def wrap(step: Callable[P, None]) -> Callable[P, None]:
        @wraps(step)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            if condition(args[0]):
                step(*args, **kwargs)

        return guarded

    return wrap


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
