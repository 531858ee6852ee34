"""Seals values of older keys anew, slowly and in one worker at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from dispatcher.periodic import pause
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.reseal.key_check import KeyCheck
from dispatcher.store.reseal.reseal import Resealer
from dispatcher.store.reseal.stale_count import StaleCount
from dispatcher.store.secrets.sealing import Sealer

PAGE_PAUSE_S = 1.0
"""Between one page of integrations and the next: some twenty a second at most."""
TURN_S = 600.0
"""Time between two passes over everything; the worker that asks first makes the pass."""

log = structlog.get_logger("secrets")


@dataclass(frozen=True, slots=True)
class Resealing:
    """One per worker process."""

    redis: StoreClient
    sealer: Sealer
    worker_id: str

    async def once(self, stop: asyncio.Event) -> bool:
        """Go through everything if it is this worker's turn; True when it was."""
        counted = StaleCount(self.redis)
        if not await counted.take_turn(self.worker_id, int(TURN_S * 1000)):
            return False
        await KeyCheck(self.redis, self.sealer).announce()
        resealer = Resealer(self.redis, self.sealer)
        async for _ in resealer.pages():
            await pause(stop, PAGE_PAUSE_S)
            if stop.is_set():
                return True
        tally = resealer.tally
        await counted.write(tally.stale)
        for whose, why in tally.problems.items():
            log.error("secret cannot be sealed again", whose=whose, problem=why)
        if tally.resealed:
            log.info("sealed again", values=tally.resealed, still_stale=tally.stale)
        return True
