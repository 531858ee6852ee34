"""One answer for everybody who asks for it at the same time, and for a moment after. Knows nothing of what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, cast

T = TypeVar("T")


class Shared(Generic[T]):
    """Asks once however many wait, and anew ``age_s`` after an answer. An error is told to all who waited for it.

    Asking ends when the last of them has left.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]], age_s: float = 0.0) -> None:
        self._ask = ask
        self._age_s = age_s
        self._asking: asyncio.Task[T] | None = None
        self._waiting = 0
        self._answer: T | None = None
        self._fresh_until_s = float("-inf")

    async def read(self) -> T:
        if asyncio.get_running_loop().time() < self._fresh_until_s:
            return cast("T", self._answer)
        if self._asking is None:
            self._asking = asyncio.create_task(self._asked())
            self._asking.add_done_callback(_heard)
        asking = self._asking
        self._waiting += 1
        try:
            return await asyncio.shield(asking)
        finally:
            self._waiting -= 1
            if not self._waiting and not asking.done():
                asking.cancel()
                self._asking = None

    async def _asked(self) -> T:
        try:
            self._answer = await self._ask()
            self._fresh_until_s = asyncio.get_running_loop().time() + self._age_s
            return self._answer
        finally:
            if asyncio.current_task() is self._asking:
                self._asking = None


def _heard(asking: asyncio.Task[T]) -> None:
    """An error that nobody waits for any more is nobody's."""
    if not asking.cancelled():
        asking.exception()
