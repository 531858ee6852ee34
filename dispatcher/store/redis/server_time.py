"""Keeps a ``StoreClock`` right by asking the store, and logs that a machine's own clock is not.

Sets no clock of any machine: that is NTP's.
"""

from __future__ import annotations

import asyncio

import structlog

from dispatcher.clock import StoreClock
from dispatcher.errors import StoreUnavailable
from dispatcher.periodic import until_next
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client

ASTRAY_S = 5.0
"""A machine's clock this far off is logged; work goes by the store's."""

log = structlog.get_logger("clock")


async def server_now_ms(client: Client) -> int:
    """The store's time, in ms since the epoch. One round trip. Raises ``StoreUnavailable``."""
    with guarded():
        now_s, now_us = await client.time()
    return int(now_s) * 1000 + int(now_us) // 1000


class ServerTime:
    """One per process."""

    def __init__(self, client: Client, clock: StoreClock) -> None:
        self._client = client
        self._clock = clock
        self._astray = False

    async def measure(self) -> None:
        """One round trip. Raises ``StoreUnavailable``."""
        asked_s = self._clock.steady()
        self.learn(await server_now_ms(self._client), asked_s)

    def steady(self) -> float:
        """Seconds, as ``learn`` is asked in."""
        return self._clock.steady()

    def learn(self, store_ms: int, asked_s: float) -> None:
        """The store said ``store_ms`` to who asked it something else at ``asked_s``."""
        self._clock.learn(store_ms, asked_s)
        self._log_change(self._clock.machine_ahead_s())

    async def follow(self, every_s: float) -> None:
        """Measure for ever; while the store is away the clock goes on by itself."""
        while True:
            await asyncio.sleep(until_next(every_s, self._clock.steady()))
            try:
                await self.measure()
            except StoreUnavailable as error:
                log.debug("store unavailable", error=str(error))

    def _log_change(self, ahead_s: float) -> None:
        if (abs(ahead_s) > ASTRAY_S) is self._astray:
            return
        self._astray = not self._astray
        if self._astray:
            advice = "the store's time is used; let NTP set this machine's clock and the store's"
            log.warning("clock differs from the store's", machine_ahead_s=round(ahead_s, 1), advice=advice)
        else:
            log.info("clock agrees with the store's again", machine_ahead_s=round(ahead_s, 1))
