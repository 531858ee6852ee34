"""A deployment that a run starts for itself: an embedded server that fsyncs every write, an API, and workers.

All of it is in a temporary folder and on loopback, and goes with the run.
"""

from __future__ import annotations

import os
import secrets
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from dispatcher.cli.api_access import Access
from dispatcher.cli.bench.children import Child, program
from dispatcher.embedded import EmbeddedServer
from dispatcher.store.secrets.sealing import new_key

CLIENT_ID = "bench"
DISPATCHER = "dispatcher.cli.main"


@dataclass(slots=True)
class PrivateDeployment:
    folder: Path
    server: EmbeddedServer
    settings: dict[str, str]
    _programs: AsyncExitStack
    address: str = ""
    workers: list[Child] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    @property
    def access(self) -> Access:
        return Access(self.address, CLIENT_ID, self.settings["DISPATCHER_ADMIN_CLIENT_SECRET"], found=True)

    async def start_api(self) -> None:
        api = await self._programs.enter_async_context(program(self.folder, [DISPATCHER, "serve"], self.settings))
        self.address = await api.said(r'"event":"listening","address":"([^"]+)"')

    async def start_worker(self) -> None:
        """Returns once it works."""
        started = program(
            self.folder,
            [DISPATCHER, "worker", "--supervised"],
            self.settings,
            name=f"worker-{next(self._numbers)}",
        )
        worker = await self._programs.enter_async_context(started)
        self.workers.append(worker)
        await worker.said("(worker started)")

    async def kill_worker(self) -> None:
        """The one that runs longest; another takes its place."""
        await self.workers.pop(0).kill()
        await self.start_worker()

    async def restart_redis(self) -> None:
        """Killed as a crash does it, and started again from what it wrote."""
        pid = self.server.pid
        if pid is not None and self.server.owned:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.server.ensure_running()


@asynccontextmanager
async def private_deployment(workers: int) -> AsyncIterator[PrivateDeployment]:
    """Up and ready to take events; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dispatcher-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with EmbeddedServer.start(folder / "data") as server, AsyncExitStack() as programs:
            made = PrivateDeployment(folder, server, settings_of(server.url, new_key()), programs)
            await made.start_api()
            for _ in range(workers):
                await made.start_worker()
            yield made


def settings_of(redis_url: str, key: str) -> dict[str, str]:
    """The environment of its processes: defaults, but for what keeps them on this machine."""
    return {
        "DISPATCHER_REDIS_URL": redis_url,
        "DISPATCHER_SECRET_KEYS": key,
        "DISPATCHER_ALLOW_NETWORKS": "127.0.0.0/8",
        "DISPATCHER_HOST": "127.0.0.1",
        "DISPATCHER_PORT": "0",
        "DISPATCHER_LOG_FORMAT": "json",
        "DISPATCHER_ADMIN_CLIENT_ID": CLIENT_ID,
        "DISPATCHER_ADMIN_CLIENT_SECRET": secrets.token_urlsafe(24),
    }
