"""Exemplars of the fleet's histograms, of whichever worker observed one last."""

from __future__ import annotations

from typing import Any

from dispatcher.policy.figures.exemplars import SHOWN_MS, Exemplars, read_exemplar
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client


class ExemplarStore:
    """Raises ``StoreUnavailable`` when Redis did not answer, or has no room."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def write(self, exemplars: Exemplars) -> None:
        fields = {counter: exemplar.kept() for counter, exemplar in exemplars.items()}
        with guarded():
            await self._client.hset(keys.EXEMPLARS, mapping=fields)  # type: ignore[misc]

    async def read(self, now_ms: int) -> Exemplars:
        """Those of the last hour."""
        with guarded():
            kept: Any = await self._client.hgetall(keys.EXEMPLARS)  # type: ignore[misc]
        found = {counter.decode(): read_exemplar(text.decode()) for counter, text in kept.items()}
        return {counter: one for counter, one in found.items() if one and one.at_ms > now_ms - SHOWN_MS}
