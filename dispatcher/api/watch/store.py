"""Watches the store while the API runs: closes accepting before it is full, and notices when it lost something.

What the API itself needs of an emptied store is put back; what publishers and marketplaces wrote cannot be.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from dispatcher.errors import DispatcherError, StoreUnavailable
from dispatcher.flow.events.making.accept import Acceptor
from dispatcher.periodic import until_next
from dispatcher.store.health.loss import LossWatch
from dispatcher.store.health.pressure import Pressure

LOSSES_LEAST_S = 0.9
"""Between two looks for losses, of which there is one each second."""

log = structlog.get_logger("dispatcher.api")


@dataclass(slots=True)
class StoreWatch:
    """One per process. ``restore`` is called after a loss, until it succeeds."""

    pressure: Pressure
    losses: LossWatch
    acceptor: Acceptor
    restore: Callable[[], Awaitable[None]]
    to_restore: bool = False
    looked_s: float = 0.0

    async def look(self) -> None:
        """One look. Raises ``StoreUnavailable``, and ``ConfigurationError`` when the store is now another's."""
        await asyncio.gather(self._measure(), self._look_for_losses())

    async def _measure(self) -> None:
        await self.pressure.measure()
        self.acceptor.close(self.pressure.full)

    async def _look_for_losses(self) -> None:
        """Once a second, however often memory is measured."""
        now_s = time.monotonic()
        if now_s - self.looked_s < LOSSES_LEAST_S:
            return
        self.looked_s = now_s
        if await self.losses.look(self.acceptor.newest_id):
            self.to_restore = True
        if self.to_restore:
            await self.restore()
            self.to_restore = False

    async def follow(self) -> None:
        """For ever; an outage of the store is logged by those who need it."""
        while True:
            await asyncio.sleep(until_next(self.pressure.pause_s(), asyncio.get_running_loop().time()))
            try:
                await self.look()
            except StoreUnavailable as error:
                log.debug("store unavailable", error=str(error))
            except DispatcherError as error:
                self.to_restore = False
                log.error("the store that came back is of no use", reason=str(error))
            except Exception:
                log.exception("watching the store broke off")


WATCH = web.AppKey("store_watch", StoreWatch)


async def watching(app: web.Application) -> AsyncIterator[None]:
    """Looks once before the first request is served."""
    try:
        await app[WATCH].look()
    except StoreUnavailable as error:
        log.debug("store unavailable", error=str(error))
    task = asyncio.create_task(app[WATCH].follow(), name="store-watch")
    yield
    task.cancel()
    await asyncio.wait([task])
