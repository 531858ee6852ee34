"""Metrics and health of one worker process, on a port of its own. Fleet totals are the API's."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager

import structlog
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector
from prometheus_client.core import Metric

from dispatcher.telemetry.exposition import form_for
from dispatcher.telemetry.metrics_export import exporting
from dispatcher.telemetry.watchdog import LAG_HELP, Watchdog
from worker.partition.owner import Owner

LacksKey = Callable[[], bool]
"""The newest secret key is not among this process's."""

log = structlog.get_logger("worker")


@contextlib.asynccontextmanager
async def metrics_site(host: str, port: int | None, owner: Owner, registry: CollectorRegistry) -> AsyncIterator[None]:
    """Serve while the context is open, if a port is set."""
    if port is None:
        yield
        return
    runner = web.AppRunner(_app(owner, registry), access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:  # work goes on: who watches a worker finds it silent, who waits for events does not
            log.error("no metrics port", port=port, error=os.strerror(error.errno or 0))
        yield
    finally:
        await runner.cleanup()


def metrics_pushed(
    registry: CollectorRegistry, url: str | None, interval_s: float
) -> AbstractAsyncContextManager[None]:
    """Push every so often while the context is open, if a URL is set."""

    async def collected() -> Iterable[Metric]:
        return registry.collect()

    return exporting("dispatcher-worker", url, interval_s, collected, time.time_ns)


def registry_of(owner: Owner, lacks_key: LacksKey, watchdog: Watchdog) -> CollectorRegistry:
    """Every metric of this process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    running = Gauge("dispatcher_worker_in_flight", "Attempts running in this process", registry=registry)
    running.set_function(lambda: owner.in_flight)
    owned = Gauge("dispatcher_worker_partitions", "Partitions that this process owns", registry=registry)
    owned.set_function(lambda: len(owner.partitions))
    lacking = Gauge("dispatcher_worker_lacks_key", "1 while it lacks the newest secret key", registry=registry)
    lacking.set_function(lacks_key)
    Gauge("dispatcher_event_loop_lag_seconds", LAG_HELP, registry=registry).set_function(lambda: watchdog.lag_s)
    return registry


def _app(owner: Owner, registry: CollectorRegistry) -> web.Application:
    async def metrics(request: web.Request) -> web.Response:
        form = form_for(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(body=form.write(registry), headers={hdrs.CONTENT_TYPE: form.content_type})

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "worker": owner.worker_id, "partitions": sorted(owner.partitions)})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    return app
