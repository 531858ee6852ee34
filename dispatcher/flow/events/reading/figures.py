"""Reads figures of the past for a caller: of the whole fleet, or of the integrations that are within its reach."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dispatcher.errors import InvalidRequest, NotFound
from dispatcher.flow.events.reading.reach import reachable_integration
from dispatcher.ids import partition_of_lane
from dispatcher.model.access import Caller
from dispatcher.policy.figures.history import FLEET, LANE, Resolution, Window, rolled_up, total, window
from dispatcher.policy.figures.tallies import LaneKey
from dispatcher.policy.figures.tally import Figures, add
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.history.fleet import FleetHistory
from dispatcher.store.history.lanes import LaneHistory

MOST_INTEGRATIONS = 500
"""That are read for one answer, those with the newest attempts first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A stretch of time as a reader gave it."""

    from_ms: int | None
    to_ms: int | None
    step_s: int | None


LAST_HOUR = Asked(None, None, 60)
"""Minute by minute."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Figures of each step of a window. ``fleet``: of everything; otherwise nobody counted what was accepted."""

    seen: Window
    figures: list[Figures]
    integration_id: str | None
    fleet: bool


@dataclass(frozen=True, slots=True)
class Ranking:
    """Figures of each integration over a window, in no order. ``left_out``: those that were not read."""

    seen: Window
    figures: dict[str, Figures]
    left_out: int


class PastFigures:
    """One per process. ``partitions``: how many the queue has."""

    def __init__(
        self, fleet: FleetHistory, lanes: LaneHistory, definitions: Definitions, cache: DefinitionCache, partitions: int
    ) -> None:
        self._fleet = fleet
        self._lanes = lanes
        self._definitions = definitions
        self._cache = cache
        self._partitions = partitions

    async def steps(self, asked: Asked, caller: Caller, any_id: str | None, now_ms: int) -> Steps:
        """Of one integration, else of all that the caller reaches. Raises ``NotFound``, ``InvalidRequest``."""
        if any_id is not None:
            integration = await reachable_integration(any_id, caller, self._cache)
            if integration is None:
                raise NotFound.of("not_found", "There is no such integration; check its id.", "integrationId")
            return await self._of_lanes([integration.id], asked, now_ms, integration.id)
        if caller.vendor_id is not None:
            return await self._of_lanes(await self._of_vendor(caller.vendor_id), asked, now_ms, None)
        seen = _window(FLEET, asked, now_ms)
        return Steps(seen, rolled_up(await self._fleet.read(seen), seen), None, fleet=True)

    async def by_integration(
        self, asked: Asked, caller: Caller, now_ms: int, among: Collection[str] | None = None
    ) -> Ranking:
        """Each integration that the caller reaches and that had an attempt; ``among`` these, where some are named."""
        seen = _window(LANE, asked, now_ms)
        active = await self._lanes.active(range(self._partitions), seen.from_ms)
        if caller.vendor_id is not None:
            own = frozenset(await self._of_vendor(caller.vendor_id))
            active = [lane for lane in active if lane[1] in own]
        if among is not None:
            active = [lane for lane in active if lane[1] in among]
        read = await self._lanes.read(active[:MOST_INTEGRATIONS], seen)
        found = {lane[1]: total(rolled_up(spans, seen)) for lane, spans in read.items() if spans}
        figures = {integration_id: of_it for integration_id, of_it in found.items() if any(of_it)}
        return Ranking(seen, figures, max(0, len(active) - MOST_INTEGRATIONS))

    async def _of_vendor(self, vendor_id: str) -> Sequence[str]:
        return await self._definitions.ids_of_vendor(vendor_id)

    async def _of_lanes(self, ids: Sequence[str], asked: Asked, now_ms: int, named: str | None) -> Steps:
        if len(ids) > MOST_INTEGRATIONS:
            text = f"That would be {len(ids)} integrations, {MOST_INTEGRATIONS} at most: name one."
            raise InvalidRequest.of("invalid_parameter", text, "integrationId")
        seen = _window(LANE, asked, now_ms)
        lanes: list[LaneKey] = [(partition_of_lane(one, self._partitions), one) for one in ids]
        steps = rolled_up((), seen)
        for spans in (await self._lanes.read(lanes, seen)).values():
            for step, more in zip(steps, rolled_up(spans, seen), strict=True):
                add(step, more)
        return Steps(seen, steps, named, fleet=False)


def _window(kept: Sequence[Resolution], asked: Asked, now_ms: int) -> Window:
    return window(kept, now_ms, asked.from_ms, asked.to_ms, asked.step_s)
