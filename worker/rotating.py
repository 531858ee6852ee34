"""Rotates the signing keys that are on a schedule, every few seconds. Runs in every worker; each is rotated once."""

from __future__ import annotations

import asyncio
import contextlib

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.integrations.rotation_schedule import Rotating

EVERY_S = 5.0

log = structlog.get_logger("rotation")


async def run_rotations(rotating: Rotating, stop: asyncio.Event) -> None:
    """Until ``stop``."""
    while not stop.is_set():
        try:
            await rotating.once()
        except StoreUnavailable as error:
            log.warning("store unavailable", error=str(error))
        except Exception:
            log.exception("rotation broke off")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await stop.wait()
