"""One process that delivers, until it is told to stop or its parent is gone. Knows no verb."""

from __future__ import annotations

import asyncio
import os

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.environment import refuse_misspelt
from dispatcher.cli.processes.lean_imports import import_server
from dispatcher.cli.processes.startup import (
    open_store,
    require_queue,
    require_secret_keys,
    run_process,
    stop_on_signals,
    with_archive,
)
from dispatcher.cli.processes.worker_package import require_own_worker
from dispatcher.periodic import until_next
from dispatcher.settings import Settings

PARENT_CHECK_S = 1.0


def worker_settings() -> Settings:
    """Raises ConfigurationError for whatever no worker can begin with."""
    require_own_worker()
    refuse_misspelt()
    settings = with_archive(load_settings())
    require_secret_keys(settings)
    return settings


def deliver_alone(settings: Settings, called: str = "", parent: int = 0) -> None:
    """This process delivers, and no other; it ends with its parent, which may have ended before this looks for it."""
    import_server("worker.main")
    run_process(_worker(settings, called, parent or os.getppid()), settings)


async def deliver(settings: Settings, redis_url: str, stop: asyncio.Event, called: str = "") -> None:
    """The worker's own loop; imported only here, since nothing else of this package may know it.

    Raises ConfigurationError when another package of that name is in the way.
    """
    require_own_worker()
    from worker.main import run

    await require_queue(settings.queue_redis_url or redis_url)
    await run(settings, redis_url, stop, called)


async def _worker(settings: Settings, called: str, parent: int) -> None:
    with stop_on_signals() as stop:
        watch = asyncio.create_task(_stop_without_parent(stop, parent))
        async with open_store(settings, client_name="dispatcher-worker") as store:
            await deliver(settings, store.url, stop, called)
        watch.cancel()


async def _stop_without_parent(stop: asyncio.Event, parent: int) -> None:
    while not stop.is_set():
        await asyncio.sleep(until_next(PARENT_CHECK_S, asyncio.get_running_loop().time()))
        if os.getppid() != parent:
            stop.set()
