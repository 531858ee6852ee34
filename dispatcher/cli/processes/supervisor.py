"""Keeps a number of worker processes running: starts a dead one again, passes on the signal to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.store.health.workers.ids import new_call, worker_id

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
HEALTHY_AFTER_S = 60.0
"""A process that lived this long is started again without delay."""
KILL_GRACE_S = 10.0
REFUSED = 2
"""Exit status of a process whose settings, or whose Redis, cannot be used: the same would come of the next."""
REPORT_WITHIN_S = 1.0
HOME = Path(__file__).resolve().parents[3]
"""The folder of this program's packages."""

Report = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Supervisor:
    """``drain_timeout_s`` + 10 s after the signal, processes that still run are killed."""

    processes: int
    metrics_port: int | None
    drain_timeout_s: float
    report: Report
    """Told which worker has died, so that others take over at once."""

    async def run(self, stop: asyncio.Event) -> int:
        """Until ``stop``, and until every process has ended; also ends when a first start was refused.

        Returns the exit status: 0, or that of the refusal.
        """
        async with asyncio.TaskGroup() as tasks:
            kept = [tasks.create_task(self._keep(number, stop)) for number in range(self.processes)]
        return max(one.result() for one in kept)

    async def _keep(self, number: int, stop: asyncio.Event) -> int:
        log = structlog.get_logger().bind(worker=number)
        delay_s = 0.0
        while True:
            began = time.monotonic()
            status, ended = await self._live(number, stop)
            if stop.is_set():
                return 0
            if status == REFUSED and not delay_s:
                stop.set()
                return REFUSED
            delay_s = next_delay(delay_s, time.monotonic() - began)
            log.error("worker died", exit_status=status, restart_in_s=delay_s)
            await self._report(ended)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await stop.wait()
                    return 0

    async def _report(self, ended: str) -> None:
        with contextlib.suppress(StoreUnavailable, TimeoutError):  # its leases end by themselves, later
            async with asyncio.timeout(REPORT_WITHIN_S):
                await self.report(ended)

    async def _live(self, number: int, stop: asyncio.Event) -> tuple[int, str]:
        """One process from start to end: its exit status, and the id that it had.

        A session of its own keeps the terminal's Ctrl-C from reaching it twice. ``-P`` keeps the folder that we were
        started in out of where Python looks for modules.
        """
        called = new_call()
        command = (sys.executable, "-P", "-m", "dispatcher.cli.one_worker", called, str(os.getpid()))
        process = await asyncio.create_subprocess_exec(*command, env=self._environment(number), start_new_session=True)
        ended, stopped = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await self._end(process)
        finally:
            stopped.cancel()
            if process.returncode is None:
                process.kill()
        return await ended, worker_id(process.pid, called)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(self.drain_timeout_s + KILL_GRACE_S):
                await process.wait()
        except TimeoutError:
            process.kill()

    def _environment(self, number: int) -> dict[str, str]:
        port = {"DISPATCHER_METRICS_PORT": str(self.metrics_port + number)} if self.metrics_port else {}
        return dict(os.environ) | port | import_path(sys.path, os.environ.get("PYTHONPATH"))


def import_path(found_in: Sequence[str], given: str | None) -> dict[str, str]:
    """PYTHONPATH of a child: with this program's folder, if only the folder that we were started in leads to it."""
    if str(HOME) in found_in[1:]:
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(HOME), given)))}


def next_delay(previous_s: float, lived_s: float) -> float:
    """Doubles from half a second to 30, and starts over after a process that lived a minute."""
    if lived_s >= HEALTHY_AFTER_S:
        return FIRST_DELAY_S
    return min(max(previous_s * 2, FIRST_DELAY_S), LONGEST_DELAY_S)
