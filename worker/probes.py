"""Starts the pings that are on schedule, about once a second. Runs in every worker; each due ping is started once."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.pings.schedule import Probing

EVERY_S = 1.0

log = structlog.get_logger("probes")


async def run_probes(probing: Probing, stop: asyncio.Event) -> None:
    """Until ``stop``."""
    while not stop.is_set():
        try:
            await probing.once()
        except StoreUnavailable as error:
            log.warning("store unavailable", error=str(error))
        except Exception:
            log.exception("probes broke off")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await stop.wait()
