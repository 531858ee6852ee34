"""Threads for what blocks: names that are looked up, certificates that are read. A ration of them for each tenant.

What nobody waits for any more still holds its thread, and counts against its tenant until it ends. No process stays
for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from dispatcher.daemon_threads import DaemonThreads
from worker.http.ration import TENANT, Ration

T = TypeVar("T")


class Threads:
    """So many threads, begun when first needed; they end with this object."""

    def __init__(self, count: int, name: str, within_s: float) -> None:
        """``within_s``: longest wait for one."""
        self._threads = DaemonThreads(count, name)
        self._ration = Ration(count, f"{name} thread")
        self._within_s = within_s

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``, or its error; ``NothingLeft`` when the tenant got no thread in time."""
        tenant, loop = TENANT.get(), asyncio.get_running_loop()
        await self._ration.take(tenant, self._within_s)

        def ended(_: Future[T]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by then
                loop.call_soon_threadsafe(self._ration.give_back, tenant)

        begun = self._threads.submit(work)
        begun.add_done_callback(ended)
        return await asyncio.wrap_future(begun)
