"""Liveness, readiness and metrics: what a supervisor asks. Public, and tells nothing about any account.

Monitors and load balancers ask for health with HEAD, which is answered as GET without the body (RFC 9110 §9.3.2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from aiohttp import hdrs, web
from prometheus_client.core import Metric

from dispatcher.api.http.overload.shared import Shared
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.api.installing import INSTALLING
from dispatcher.api.rest.events.shown.event_json import iso_or_none
from dispatcher.api.services import SERVICES
from dispatcher.api.watch.store import WATCH
from dispatcher.api.watch.verdict import VERDICT
from dispatcher.errors import StoreUnavailable
from dispatcher.model.troubles import SetAside
from dispatcher.policy.figures.exemplars import Exemplars
from dispatcher.store.installations.installed.unfinished import Unfinished
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.reseal.stale_count import StaleCount
from dispatcher.telemetry.exposition import form_for, page
from dispatcher.telemetry.metrics import families, lag_family
from dispatcher.telemetry.store_metrics import store_families
from dispatcher.telemetry.verdict_metrics import verdict_families
from dispatcher.telemetry.watchdog import Watchdog

METRICS_AGE_S = 1.0


async def healthz(request: web.Request) -> web.StreamResponse:
    """This process serves requests; says nothing about anything else."""
    return json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.StreamResponse:
    """503 while Redis does not answer or takes no writes, and since when this process knows: send no requests here."""
    try:
        await request.app[SERVICES].queue.take_writes()
    except StoreUnavailable:
        since_ms = request.app[VERDICT].away_since_ms or request.app[SERVICES].now_ms()
        body = {"status": "unavailable", "redis": "away", "since": iso_or_none(since_ms)}
        return json_response(body, 503, {"Retry-After": "1"})
    watch = request.app[WATCH]
    memory = {"ratio": round(watch.pressure.memory.ratio, 4), "accepting": not watch.pressure.full}
    lost = watch.losses.last
    loss = (
        {"dataLoss": {"since": iso_or_none(lost.survived_ms or None), "until": iso_or_none(lost.noticed_ms)}}
        if lost
        else {}
    )
    return json_response({"status": "ok", "redis": "ok", "memory": memory, **loss})


@dataclass(slots=True)
class MetricsPage:
    """The last figures, shared by everyone who scrapes at a time and within a second: scraping never loads Redis."""

    queue: QueueStore
    watchdog: Watchdog
    sealed: StaleCount
    updates: Callable[[], Awaitable[Unfinished]]
    exemplars: Callable[[], Awaitable[Exemplars]]
    set_aside: Callable[[], Awaitable[Iterable[SetAside]]]
    shared: Shared[tuple[Metric, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.shared = Shared(self._figures, METRICS_AGE_S)

    async def read(self) -> tuple[Metric, ...]:
        return await self.shared.read()

    async def _figures(self) -> tuple[Metric, ...]:
        overview = await self.queue.overview(0)
        counters, stale = await self.queue.counters(), await self.sealed.read()
        updates, exemplars = (await self.updates()).count, await self.exemplars()
        known = families(overview, counters, stale, updates, exemplars, await self.set_aside())
        return *known, lag_family(self.watchdog.lag_s)


METRICS = web.AppKey("metrics", MetricsPage)


async def metrics(request: web.Request) -> web.StreamResponse:
    """As text, or as OpenMetrics for those who ask for it."""
    form = form_for(request.headers.get(hdrs.ACCEPT, ""))
    body = page(await collected(request.app), form)
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: form.content_type, hdrs.VARY: hdrs.ACCEPT})


async def collected(app: web.Application) -> list[Metric]:
    """Every metric of the deployment, and of this process."""
    watch, verdict = app[WATCH], app[VERDICT]
    figures = await app[METRICS].read()
    store = store_families(watch.pressure.memory.ratio, watch.losses.count)
    sessions = app[INSTALLING].counts.families()
    return [*figures, *store, *sessions, *verdict_families(verdict.remembered(), verdict.now_ms())]


ROUTES: tuple[Route, ...] = (
    Route("GET", "/healthz", healthz, None, "Is the process alive", tag="operations"),
    Route("HEAD", "/healthz", healthz, None, "The same, by the status alone", tag="operations"),
    Route("GET", "/readyz", readyz, None, "Is Redis there", tag="operations"),
    Route("HEAD", "/readyz", readyz, None, "The same, by the status alone", tag="operations"),
    Route("GET", "/metrics", metrics, None, "Metrics for Prometheus", tag="operations"),
)
