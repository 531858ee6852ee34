"""``dispatcher worker``: a supervisor of one process that delivers, or of several. Listens to nothing but signals."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from dispatcher.cli.processes.delivering import deliver_alone, worker_settings
from dispatcher.cli.processes.startup import open_store, require_queue, run_process, stop_on_signals
from dispatcher.cli.processes.supervisor import Supervisor
from dispatcher.settings import Settings
from dispatcher.store.health.workers.report_lost import report_lost


def worker(
    processes: Annotated[
        int, typer.Option(min=1, max=256, help="How many; each takes a metrics port of its own, counting up.")
    ] = 1,
    supervised: Annotated[bool, typer.Option(hidden=True, help="Deliver in this process.")] = False,
) -> None:
    """Deliver events until SIGTERM or Ctrl-C, then let running attempts finish; a second signal does not wait.

    Example: dispatcher worker --processes 4
    """
    settings = worker_settings()
    if supervised:
        deliver_alone(settings)
    elif status := run_process(_workers(settings, processes), settings):
        raise typer.Exit(status)


def main() -> None:
    """The command ``dispatcher-worker``."""
    from dispatcher.cli.main import main as dispatcher

    dispatcher(["worker", *sys.argv[1:]])


async def _workers(settings: Settings, processes: int) -> int:
    """The exit status. The store is held open over all of them, so that an embedded server outlives every one."""
    with stop_on_signals() as stop:
        async with open_store(settings, client_name="dispatcher-supervisor") as store:
            await require_queue(settings.queue_redis_url or store.url)
            report = partial(report_lost, store.redis, settings.partitions)
            return await Supervisor(processes, settings.metrics_port, settings.drain_timeout, report).run(stop)
