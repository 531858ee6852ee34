"""Threads for what blocks: names that are looked up, certificates that are read. A ration of them for each tenant.

What nobody waits for any more still holds its thread, and counts against its tenant until it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from worker.http.ration import TENANT, Ration

T = TypeVar("T")


class Threads:
    """So many threads, begun when first needed; idle ones end with this object."""

    def __init__(self, count: int, name: str, within_s: float) -> None:
        """``within_s``: longest wait for one."""
        self._executor = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._ration = Ration(count, f"{name} thread")
        self._within_s = within_s

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``, or its error; ``NothingLeft`` when the tenant got no thread in time."""
        tenant, loop = TENANT.get(), asyncio.get_running_loop()
        await self._ration.take(tenant, self._within_s)
        try:
            begun = self._executor.submit(work)
        except RuntimeError:  # closed
            self._ration.give_back(tenant)
            raise

        def ended(_: Future[T]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by then
                loop.call_soon_threadsafe(self._ration.give_back, tenant)

        begun.add_done_callback(ended)
        return await asyncio.wrap_future(begun)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
