"""A whole deployment on loopback: a durable server, workers and an API as processes, a product host to judge them."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from redis.asyncio import Redis

from dispatcher.errors import StoreUnavailable
from dispatcher.model.integration import Integration
from dispatcher.model.status import Status
from dispatcher.settings import Settings
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.connection import connect
from dispatcher.store.secrets.sealing import Sealer, new_key
from tests.events import event_of
from tests.faults.processes import Server, Watched
from tests.hosts import ProductHost
from tests.programs import dispatcher_command
from tests.waiting import until
from tests.worker.conftest import Shop

ADMIN, ADMIN_SECRET = "operator", "an-admin-secret-of-tests"
PARTITIONS = 4
LEASE_S = 2.0
FULL = os.environ.get("DISPATCHER_TEST_FULL") == "1"
"""The long form of a fault, as the catalogue of faults words it; the short form tries the same in seconds."""

SOCKET_TIMEOUT_S = 5.0 if FULL else 1.0
"""Time that an impatient program waits for Redis to answer; in the long form, as long as any."""

PATIENCE_S = 60.0
"""Time that the short form gives to anything that has to happen: it tries that it does, the long form also how soon."""

T = TypeVar("T")


def with_limits(**limits: float) -> str:
    """``dispatcher`` with other limits of ``dispatcher/store/redis/connection.py``: ``code`` of a program."""
    changes = "\n".join(f"connection.{name} = {value}" for name, value in limits.items())
    return f"""
from dispatcher.store.redis import connection
{changes}
from dispatcher.cli.main import main
main()
"""


IMPATIENT = with_limits(SOCKET_TIMEOUT_S=SOCKET_TIMEOUT_S)


class Deployment(Shop):
    """``Shop`` with real processes. Its own view of Redis never goes through a proxy."""

    folder: Path
    server: Server
    key: str
    programs: list[Watched]

    def elsewhere(self, redis: Redis, url: str) -> Deployment:
        """The same programs and host, on another store."""
        settings = Settings.model_validate({"partitions": PARTITIONS})
        made = Deployment(redis, url, self.host, settings, Sealer([self.key]))
        made.folder, made.server, made.key, made.programs = self.folder, self.server, self.key, self.programs
        return made

    async def worker(self, url: str = "", *, under: Sequence[str] = (), code: str = "", **changed: str) -> Watched:
        """A worker that has begun to work."""
        program = self.start(url, changed, "worker", "--supervised", under=under, code=code)
        await program.heard(r"(worker started)")
        return program

    async def api(
        self, url: str = "", *, under: Sequence[str] = (), code: str = "", **changed: str
    ) -> tuple[Watched, str]:
        """An API that listens, and where."""
        port = changed.pop("PORT", "0")
        program = self.start(url, changed, "serve", "--port", port, under=under, code=code)
        return program, await program.heard(r'"event":"listening","address":"([^"]+)')

    def start(
        self, url: str, changed: dict[str, str], *arguments: str, under: Sequence[str] = (), code: str = ""
    ) -> Watched:
        """A process of which nothing is known yet."""
        environment = {
            "REDIS_URL": url or self.server.url,
            "SECRET_KEYS": self.key,
            "ALLOW_NETWORKS": "127.0.0.0/8",
            "PARTITIONS": str(PARTITIONS),
            "LEASE": str(LEASE_S),
            "DRAIN_TIMEOUT": "5",
            "PUBLIC_BASE_URL": "http://dispatcher.test",
            "LOG_FORMAT": "json",
            "ADMIN_CLIENT_ID": ADMIN,
            "ADMIN_CLIENT_SECRET": ADMIN_SECRET,
        } | changed
        named = {f"DISPATCHER_{name}": value for name, value in environment.items()}
        if under or code:
            command = (*under, *dispatcher_command(*arguments, code=code))
            self.programs.append(Watched(self.folder, command, named, name=arguments[0]))
        else:
            self.programs.append(Watched.of_dispatcher(self.folder, named, *arguments))
        return self.programs[-1]

    async def emit_many(self, integrations: Sequence[Integration], count: int, accounts: int = 0) -> list[str]:
        """Accepted events, spread over integrations and accounts (0 = one account for each event)."""
        events = []
        for i in range(count):
            lane = integrations[i % len(integrations)]
            account = str(i % accounts if accounts else i)
            events.append(event_of(lane.id, self.queue.partitions, account, payload={"i": i}))
        for at in range(0, count, 200):
            await eventually(lambda at=at: self.queue.accept(events[at : at + 200]))  # type: ignore[misc]
        return [event.id for event in events]

    async def all_succeed(self, ids: Sequence[str], within_s: float = 20.0) -> float:
        """Seconds until every event is SUCCEEDED; raises ``TimeoutError`` when one is not in time."""
        began, left = time.monotonic(), list(ids)
        async with asyncio.timeout(in_time(within_s)):
            while left:
                try:
                    while left and await self._succeeded(left[-1]):
                        left.pop()
                except StoreUnavailable:
                    pass
                await asyncio.sleep(0.02 if left else 0)
        return time.monotonic() - began

    async def signed(self) -> None:
        """Until every process has left a sign of life since and knows that it did: the second proves the first."""
        running = sum(program.alive for program in self.programs)
        for _ in range(2):
            seconds, microseconds = await self.redis.time()
            since = f"({seconds * 1000 + microseconds // 1000}"
            await until(partial(self._marked, since, running), in_time(20))

    async def _marked(self, since: str, programs: int) -> bool:
        return bool(await self.redis.zcount(keys.marks(0), since, "+inf") >= programs)

    async def _succeeded(self, event_id: str) -> bool:
        stored = await self.queue.get(event_id)
        assert stored is not None, f"{event_id} was lost"
        return stored.state.status is Status.SUCCEEDED

    def arrivals(self) -> Counter[str]:
        """Number of times that each event was sent."""
        return Counter(request.headers["webhook-id"] for request in self.host.requests)

    def sent_order(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.host.requests]

    def owner_of(self, owner: str | None) -> Watched:
        """The worker process behind a worker id."""
        return next(program for program in self.programs if owner and f"-{program.pid}-" in owner)

    async def owning_worker(self, integration: Integration) -> Watched:
        """The process that owns the partition of an integration."""
        number = self.queue.partition_of(integration.id)

        async def owner() -> str | None:
            return (await self.queue.overview()).partitions[number].owner

        return self.owner_of(await until(owner))


def in_time(within_s: float) -> float:
    """As long as the long form waits; no machine that stands still for seconds fails the short one."""
    return within_s if FULL else max(within_s, PATIENCE_S)


async def eventually(ask: Callable[[], Awaitable[T]], within_s: float = 15.0) -> T:
    """The answer, however often the store is away first. Only for what is safe to repeat."""

    async def asked() -> tuple[T]:
        return (await ask(),)

    return (await until(asked, in_time(within_s), despite=StoreUnavailable))[0]


@asynccontextmanager
async def deployed(host: ProductHost) -> AsyncIterator[Deployment]:
    """A server and nothing else yet; on leaving every process is gone."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="df-", dir="/tmp")))
        server = Server(folder)
        server.start()
        stack.callback(server.stop)
        redis: Redis = await stack.enter_async_context(connect(server.url, client_name="test"))
        key = new_key()
        made = Deployment(redis, server.url, host, Settings.model_validate({"partitions": PARTITIONS}), Sealer([key]))
        made.folder, made.server, made.key, made.programs = folder, server, key, []
        try:
            yield made
        finally:
            for program in made.programs:
                program.kill()
