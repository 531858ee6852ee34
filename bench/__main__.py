"""``python -m bench [--quick] [--only NAMES] [--out FOLDER] [--strict]``: measure, show, write down."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rich.console import Console

from bench import deliveries
from bench.measurements import (
    accepts,
    backlog,
    dead_host,
    idle,
    installations,
    lanes,
    latency,
    links,
    memory,
    one_account,
    recovery,
    start,
)
from bench.plan import FULL, QUICK, Asked
from bench.results.figures import Figure
from bench.results.machine import machine, settings
from bench.results.plot import draw
from bench.results.report import show, write_results
from bench.rig.deployment import Setup
from dispatcher.cli.bench.children import ChildFailed
from dispatcher.cli.bench.sink_client import sink_process

PLAIN_WIDTH = 160
"""Of the table when it goes to a file or a pipe."""

MEASUREMENTS: dict[str, Callable[[Setup], Awaitable[list[Figure]]]] = {
    "deliveries": deliveries.measure,
    "accepts": accepts.measure,
    "latency": latency.measure,
    "memory": memory.measure,
    "lanes": lanes.measure,
    "installations": installations.measure,
    "backlog": backlog.measure,
    "dead": dead_host.measure,
    "links": links.measure,
    "start": start.measure,
    "idle": idle.measure,
    "account": one_account.measure,
    "recovery": recovery.measure,
}


def asked_for(arguments: Sequence[str]) -> Asked:
    """Exits with status 2 on usage that makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the dispatcher beside its peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and events; figures are rougher")
    parser.add_argument("--only", default=",".join(MEASUREMENTS), help=f"some of {','.join(MEASUREMENTS)}")
    parser.add_argument("--out", type=Path, default=Path("bench/out"), help="folder of results.json and plot.svg")
    parser.add_argument("--strict", action="store_true", help="exit with status 1 when a goal is missed")
    given = parser.parse_args(arguments)
    only = tuple(name.strip() for name in given.only.split(",") if name.strip())
    unknown = [name for name in only if name not in MEASUREMENTS]
    if unknown or not only:
        parser.error(f"--only takes {', '.join(MEASUREMENTS)}; there is no {', '.join(unknown) or 'empty list'}")
    return Asked(QUICK if given.quick else FULL, only, given.out, given.strict)


async def measure(asked: Asked, console: Console) -> tuple[list[Figure], list[str]]:
    """The figures, and the names of the measurements that broke off."""
    figures: list[Figure] = []
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        async with sink_process(Path(name)) as sink:
            setup = Setup(asked.plan, Path(name), sink)
            for measurement in asked.only:
                begun_s = time.monotonic()
                try:
                    figures += await MEASUREMENTS[measurement](setup)
                except (ChildFailed, TimeoutError) as error:
                    broken.append(measurement)
                    console.print(f"{measurement} broke off: {error}", markup=False)
                console.print(f"{measurement}: {time.monotonic() - begun_s:.0f} s", style="dim")
    return figures, broken


async def _until_stopped(asked: Asked, console: Console) -> tuple[list[Figure], list[str]]:
    """SIGTERM ends it as Ctrl-C does: whatever was started is stopped first."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await measure(asked, console)


def main(arguments: Sequence[str]) -> int:
    """0 = measured; 1 = a measurement broke off, or with ``--strict`` a goal was missed; 130 = stopped."""
    asked = asked_for(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    on = machine()
    figures, broken = asyncio.run(_until_stopped(asked, console))
    asked.out.mkdir(parents=True, exist_ok=True)
    write_results(figures, on, settings(asked.plan, asked.only), asked.out / "results.json")
    show(figures, console)
    if draw(figures, asked.out / "plot.svg"):
        console.print(f"written: {asked.out / 'results.json'}, {asked.out / 'plot.svg'}")
    else:
        console.print(f"written: {asked.out / 'results.json'}; no plot: matplotlib is not installed (group dev)")
    missed = any(one.met is False for one in figures)
    return 1 if broken or (asked.strict and missed) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
