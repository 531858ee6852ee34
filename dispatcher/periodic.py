"""Work that is done every so often while a process lives. Decides nothing about it, and never ends by itself.

All that is done every second begins at one moment, what is done more often at that and between: a process that wakes
once for ten things needs half the CPU of one that wakes ten times. Processes have moments of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable

import structlog

from dispatcher.errors import StoreUnavailable

Work = Callable[[], Awaitable[object]]

_MOMENT_S = os.getpid() * 0.618034 % 1.0
"""Place of this process's rounds in a second of the loop's clock, over which those of the machine are spread."""


async def every(seconds: float, work: Work, stop: asyncio.Event, *, name: str) -> None:
    """Do ``work`` now, and again every so many seconds, until ``stop`` is set; ``name`` is its logger.

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
        await pause(stop, until_next(seconds, asyncio.get_running_loop().time()))


def until_next(seconds: float, now_s: float, moment_s: float = _MOMENT_S) -> float:
    """Pause until work of every so many seconds is due: half of them at least, one and a half at most."""
    if not seconds:
        return 0.0
    left_s = seconds - (now_s - moment_s) % seconds
    return left_s if left_s >= seconds / 2 else left_s + seconds


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """So many seconds, or until ``stop`` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
