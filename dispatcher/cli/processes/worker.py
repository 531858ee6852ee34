"""``dispatcher worker``: a supervisor of one process that delivers, or of several. Listens to nothing but signals."""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from typing import Annotated

import typer

from dispatcher.cli.environment import refuse_misspelt
from dispatcher.cli.processes.lean_imports import import_http
from dispatcher.cli.processes.startup import (
    load_settings,
    open_store,
    require_queue,
    require_secret_keys,
    run_process,
    stop_on_signals,
    with_archive,
)
from dispatcher.cli.processes.supervisor import Supervisor
from dispatcher.cli.processes.worker_package import require_own_worker
from dispatcher.settings import Settings
from dispatcher.store.health.workers.report_lost import report_lost

PARENT_CHECK_S = 1.0


def worker(
    processes: Annotated[
        int, typer.Option(min=1, max=256, help="How many; each takes a metrics port of its own, counting up.")
    ] = 1,
    supervised: Annotated[bool, typer.Option(hidden=True, help="Stop when the parent process is gone.")] = False,
    called: Annotated[str, typer.Option(hidden=True, help="What the parent process calls this one.")] = "",
) -> None:
    """Deliver events until SIGTERM or Ctrl-C, then let running attempts finish; a second signal does not wait.

    Example: dispatcher worker --processes 4
    """
    require_own_worker()
    refuse_misspelt()
    settings = with_archive(load_settings())
    require_secret_keys(settings)
    if supervised:
        run_process(_worker(settings, called), settings)
    elif status := run_process(_workers(settings, processes), settings):
        raise typer.Exit(status)


def main() -> None:
    """The command ``dispatcher-worker``."""
    from dispatcher.cli.main import main as dispatcher

    dispatcher(["worker", *sys.argv[1:]])


async def deliver(settings: Settings, redis_url: str, stop: asyncio.Event, called: str = "") -> None:
    """The worker's own loop; imported only here, since nothing else of this package may know it.

    Raises ConfigurationError when another package of that name is in the way.
    """
    require_own_worker()
    import_http()
    from worker.main import run

    await require_queue(settings.queue_redis_url or redis_url)
    await run(settings, redis_url, stop, called)


async def _worker(settings: Settings, called: str) -> None:
    with stop_on_signals() as stop:
        watch = asyncio.create_task(_stop_without_parent(stop))
        async with open_store(settings, client_name="dispatcher-worker") as store:
            await deliver(settings, store.url, stop, called)
        watch.cancel()


async def _workers(settings: Settings, processes: int) -> int:
    """The exit status. The store is held open over all of them, so that an embedded server outlives every one."""
    with stop_on_signals() as stop:
        async with open_store(settings, client_name="dispatcher-supervisor") as store:
            await require_queue(settings.queue_redis_url or store.url)
            report = partial(report_lost, store.redis, settings.partitions)
            return await Supervisor(processes, settings.metrics_port, settings.drain_timeout, report).run(stop)


async def _stop_without_parent(stop: asyncio.Event) -> None:
    parent = os.getppid()
    while not stop.is_set():
        await asyncio.sleep(PARENT_CHECK_S)
        if os.getppid() != parent:
            stop.set()
