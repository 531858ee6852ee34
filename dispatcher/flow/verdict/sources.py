"""Everything that a snapshot is collected from, put together once by whoever composes a process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from dispatcher.model.ping import PingTest
from dispatcher.model.queue import TypePause, WorkerView
from dispatcher.model.troubles import SetAside, StuckJob
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.health.loss import Loss
from dispatcher.store.health.pressure import Pressure
from dispatcher.store.health.verdicts import VerdictStore
from dispatcher.store.queue.watching.troubles import Troubles


@dataclass(frozen=True, slots=True)
class Updates:
    """Installations that an update holds, and the one that it holds longest."""

    count: int
    oldest: StuckJob | None


@dataclass(frozen=True, slots=True)
class Sources:
    """Reads raise ``StoreUnavailable``. ``skew_ms``: how far this machine's clock is ahead of the store's."""

    troubles: Troubles
    verdicts: VerdictStore
    cache: DefinitionCache
    pressure: Pressure
    high_water: float
    workers: Callable[[], Awaitable[Sequence[WorkerView]]]
    losses: Callable[[], Awaitable[Sequence[Loss]]]
    stale_values: Callable[[], Awaitable[int | None]]
    updates: Callable[[], Awaitable[Updates]]
    redeliveries: Callable[[], Awaitable[Sequence[StuckJob]]]
    probed: Callable[[], Awaitable[Sequence[str]]]
    """Integrations that are pinged by schedule."""
    pings: Callable[[str], Awaitable[Sequence[PingTest]]]
    archive_trouble: Callable[[], Awaitable[str | None]]
    """The reason why the archive cannot be used; None = it can, or there is none."""
    set_aside: Callable[[], Awaitable[Sequence[SetAside]]]
    paused_types: Callable[[int], Awaitable[Sequence[TypePause]]]
    skew_ms: Callable[[], int]
    disable_after_ms: int | None
    """None = never."""
