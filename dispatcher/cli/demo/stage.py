"""Puts the demo's actors in place: embedded server, API, worker, and a product host with a token endpoint.

Apart from the data folder and the port, the environment is not heard: the demo is the same everywhere, never speaks to
a Redis of yours, and starts afresh unless another demo is running on its folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dispatcher.cli.api_access import DEMO_FOLDER
from dispatcher.cli.local.address_file import announced
from dispatcher.cli.local.local_secrets import admin_credentials, with_local_secrets
from dispatcher.cli.processes.delivering import deliver
from dispatcher.cli.processes.listening import Listening, bind, listening
from dispatcher.cli.processes.startup import Store, open_store
from dispatcher.client import Client
from dispatcher.errors import ConfigurationError
from dispatcher.sample_host import SampleHost
from dispatcher.settings import Settings

RETRY_SCHEDULE_S = (0.8, 1.0, 2.0, 4.0)
"""So that the retry can be watched."""


@dataclass(frozen=True, slots=True)
class Stage:
    """``worker`` ends only when it is stopped, or fails."""

    api: Listening
    client: Client
    host: SampleHost
    worker: asyncio.Task[None]
    folder: Path
    client_id: str
    client_secret: str


def demo_settings(given: Settings, port: int | None) -> Settings:
    """``port`` None: the one of the settings, or any free one when it is taken."""
    local = Settings.model_construct(
        data_dir=given.data_dir / DEMO_FOLDER,
        port=free_port(given.port) if port is None else port,
        retry_schedule=RETRY_SCHEDULE_S,
        log_level="error",
    )
    return with_local_secrets(local)


def free_port(wanted: int) -> int:
    """``wanted``, or 0 when something listens there."""
    try:
        bind("127.0.0.1", wanted).close()
    except ConfigurationError:
        return 0
    return wanted


@asynccontextmanager
async def stage(settings: Settings) -> AsyncIterator[Stage]:
    """All actors, working. On leaving the API ends first, then the worker, then the host."""
    stop_worker = asyncio.Event()
    client_id, client_secret = admin_credentials(settings) or ("", "")
    async with SampleHost() as host, open_store(settings, client_name="dispatcher-demo", claim=False) as store:
        await _start_afresh(store)
        async with listening(settings, store.redis) as api:
            worker = asyncio.create_task(deliver(api.settings, store.url, stop_worker))
            try:
                async with Client(api.address, client_id, client_secret) as client:
                    with announced(settings.data_dir, api.address):
                        yield Stage(api, client, host, worker, settings.data_dir, client_id, client_secret)
            finally:
                stop_worker.set()
                await asyncio.wait([worker])


async def _start_afresh(store: Store) -> None:
    if store.server is not None and store.server.owned:
        await store.redis.flushall()
