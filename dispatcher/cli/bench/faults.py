"""Faults of a run: which, when, and what was done. Only ever to a deployment that the run started itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from dispatcher.cli.bench.private import PrivateDeployment


class Fault(StrEnum):
    WORKER_KILLED = "worker killed"
    REDIS_RESTARTED = "Redis restarted"


MOST: dict[Fault, int] = {Fault.WORKER_KILLED: 3, Fault.REDIS_RESTARTED: 1}
APART_S = 5.0
"""The least between two of a kind: a dead worker's partitions are taken over after that time."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Options of what is done to the processes of a run's own deployment while it runs."""

    workers: Annotated[int, typer.Option(min=1, max=8, help="Worker processes of a deployment of its own.")] = 2
    kill_workers: Annotated[bool, typer.Option("--kill-workers", help="kill -9 a worker, up to three times.")] = False
    restart_redis: Annotated[bool, typer.Option("--restart-redis", help="kill -9 Redis, once.")] = False

    @property
    def wanted(self) -> tuple[Fault, ...]:
        asked = {Fault.WORKER_KILLED: self.kill_workers, Fault.REDIS_RESTARTED: self.restart_redis}
        return tuple(fault for fault, given in asked.items() if given)


@dataclass(frozen=True, slots=True)
class Mark:
    """A fault that happened, on the monotonic clock."""

    at_s: float
    fault: Fault


def planned(seconds: float, faults: Faults) -> list[tuple[float, Fault]]:
    """Seconds after the first event, soonest first."""
    return sorted((at_s, fault) for fault in faults.wanted for at_s in _moments(seconds, MOST[fault]))


def _moments(seconds: float, most: int) -> list[float]:
    """Evenly over the time of sending, and at least one."""
    times = min(most, max(1, int(seconds // APART_S)))
    return [seconds * (number + 1) / (times + 1) for number in range(times)]


async def inject(deployment: PrivateDeployment, plan: list[tuple[float, Fault]], begin_s: float) -> list[Mark]:
    """One after the other; each is over, and what it ended is up again, before the next."""
    do = {Fault.WORKER_KILLED: deployment.kill_worker, Fault.REDIS_RESTARTED: deployment.restart_redis}
    marks: list[Mark] = []
    for after_s, fault in plan:
        await asyncio.sleep(max(0.0, begin_s + after_s - time.monotonic()))
        marks.append(Mark(time.monotonic(), fault))
        await do[fault]()
    return marks
