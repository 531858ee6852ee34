"""Work that is done every so often while a process lives. Decides nothing about it, and never ends by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from dispatcher.errors import StoreUnavailable

Work = Callable[[], Awaitable[object]]


async def every(seconds: float, work: Work, stop: asyncio.Event, *, name: str) -> None:
    """Do ``work`` now, and again so many seconds after each end, until ``stop`` is set; ``name`` is its logger.

    Raises nothing: a store that is away is a warning, anything else an error in the log, and the next turn comes.
    """
    log, broke_off = structlog.get_logger(name), f"{name} broke off"
    while not stop.is_set():
        try:
            await work()
        except StoreUnavailable as error:
            log.warning("store unavailable", error=str(error), retry_in_s=seconds)
        except Exception:
            log.exception(broke_off)
        await pause(stop, seconds)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """So many seconds, or until ``stop`` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
