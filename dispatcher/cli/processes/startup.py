"""The start of every process: reach Redis, agree on the partitions, stop on signals. Never serves, never delivers."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from redis.asyncio import Redis

from dispatcher.cli.beginning import run
from dispatcher.cli.environment import hint_on_kubernetes
from dispatcher.data_folder import holds_store
from dispatcher.embedded import EmbeddedServer
from dispatcher.errors import ConfigurationError, StoreUnavailable, StoreUnusable
from dispatcher.settings import Settings
from dispatcher.store.health.doctor.permissions import QUEUE, of_store, require
from dispatcher.store.health.meta import claim_meta
from dispatcher.store.redis.connection import connect, guarded
from dispatcher.store.redis.url import parse
from dispatcher.telemetry.logs import configure_logs
from dispatcher.telemetry.reports import log_reports

SERVER_CHECK_S = 1.0
GC_THRESHOLDS = (20_000, 1, 500)
"""Nearly everything made for a request or an attempt dies by reference count; looking for cycles costs a tenth.

More objects than a hundred requests under way have, or they are looked through while they live. What leaves cycles,
such as the documents of GraphQL queries, is collected some 20,000 objects at a time: while that lasts, nobody is
answered.
"""
ARCHIVE_FOLDER = "archive"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Store:
    """Redis, reached. ``url`` is the settings' or the embedded server's; ``server`` None = not embedded."""

    redis: Redis
    url: str
    server: EmbeddedServer | None


def with_archive(settings: Settings) -> Settings:
    """With a folder for history beside the data of an embedded server, unless one is set."""
    if settings.redis_url is not None or settings.archive_place is not None:
        return settings
    return settings.model_copy(update={"archive_dir": settings.data_dir / ARCHIVE_FOLDER})


def require_secret_keys(settings: Settings) -> None:
    """Raises ConfigurationError, which says how to make a key, when there is none."""
    if not settings.secret_keys:
        raise ConfigurationError(
            "DISPATCHER_SECRET_KEYS is not set: make a key with `dispatcher config --new-key`, "
            "keep it safe, and set it for every process"
        )


@asynccontextmanager
async def open_store(
    settings: Settings, *, client_name: str, claim: bool = True, existing: bool = False
) -> AsyncIterator[Store]:
    """Redis at ``redis_url``, else an embedded one that is kept running. ``claim``: write or check the partitions,
    and check permissions.

    ``existing``: no embedded one is made where none was, for verbs that are about what a store holds.
    Raises ConfigurationError and StoreUnavailable.
    """
    if existing and settings.redis_url is None and not holds_store(settings.data_dir):
        raise no_store(settings)
    async with contextlib.AsyncExitStack() as stack:
        server = None
        if settings.redis_url is None:
            server = await stack.enter_async_context(EmbeddedServer.start(settings.data_dir))
            await stack.enter_async_context(_kept_running(server))
        url = server.url if server else str(settings.redis_url)
        redis = await stack.enter_async_context(connect(url, client_name=client_name))
        await _reach(redis, url)
        if claim:
            await require(redis, *of_store(settings.min_replicas))
            await claim_meta(redis, settings.partitions)
        yield Store(redis, url, server)


async def require_queue(url: str) -> None:
    """Raises StoreUnusable when workers could never take a job there; a queue that is away may come back."""
    async with connect(url, client_name="dispatcher-worker") as redis:
        try:
            await require(redis, QUEUE)
        except StoreUnusable as error:
            raise StoreUnusable(f"{parse(url).label}, the job queue: {error}") from error
        except StoreUnavailable as error:
            structlog.get_logger().warning("job queue unavailable", error=str(error))


def no_store(settings: Settings) -> ConfigurationError:
    """Says where none was found, and what names another place."""
    return ConfigurationError(
        f"no store in {place(settings)}: set DISPATCHER_REDIS_URL to its Redis, or DISPATCHER_DATA_DIR "
        "(`audit`: --data-dir) to the folder of its embedded server; `dispatcher demo` has one in the folder `demo` "
        "within"
    )


def place(settings: Settings) -> str:
    """The store's, in words and without a password."""
    return parse(settings.redis_url).label if settings.redis_url else f"the data folder {settings.data_dir.absolute()}"


@contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """Set by the first SIGTERM or SIGINT; the second cancels the current task, which then ends without draining."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    task = asyncio.current_task()

    def on_signal() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, on_signal)
    try:
        yield stop
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


def run_process(main: Coroutine[Any, Any, T], settings: Settings) -> T:
    """A long-running process: logs to standard error, uvloop where it is installed."""
    configure_logs(settings.log_level, settings.log_format, sys.stderr)
    log_reports()
    if hint := hint_on_kubernetes():
        structlog.get_logger("dispatcher").warning("variables of a Service", hint=hint)
    collect_rarely()
    return run(main)


def collect_rarely() -> None:
    """For a process that serves: what start-up made is never looked at again, what requests make seldom is."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


async def _reach(redis: Redis, url: str) -> None:
    try:
        with guarded():
            await redis.ping()
    except StoreUnusable as error:
        raise StoreUnusable(f"{parse(url).label}: {error}") from error
    except StoreUnavailable as error:
        away = f"{parse(url).label} cannot be reached: {str(error.__cause__).rstrip('.')}"
        raise StoreUnavailable(f"{away}; start it, or name another one in DISPATCHER_REDIS_URL") from error


@asynccontextmanager
async def _kept_running(server: EmbeddedServer) -> AsyncIterator[None]:
    """Starts the embedded server again whenever it is gone, for as long as this program runs."""
    task = asyncio.create_task(_keep_running(server))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep_running(server: EmbeddedServer) -> None:
    log = structlog.get_logger()
    while True:
        await asyncio.sleep(SERVER_CHECK_S)
        if not server.alive():
            log.warning("embedded server gone", folder=str(server.folder))
            try:
                await server.ensure_running()
            except ConfigurationError as error:
                log.error("embedded server did not come back", reason=str(error))
