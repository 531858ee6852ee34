"""The composition root of the API: puts the services together and installs the route table. Holds no logic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial

import structlog
from aiohttp import hdrs, web

from dispatcher.api.admin_client import AdminClient
from dispatcher.api.admission.access import admitting
from dispatcher.api.admission.at_once import admitting_at_once
from dispatcher.api.admission.metering import METERS, Meters
from dispatcher.api.composition import composed, oauth_server
from dispatcher.api.documents.openapi import DESCRIBED, Described
from dispatcher.api.graphql.bounds.allowance import LARGE_QUERIES, QUERY_TURNS
from dispatcher.api.health import METRICS, MetricsPage, collected
from dispatcher.api.http.aiohttp_inside.connection import connection_arguments
from dispatcher.api.http.at_once import AT_ONCE
from dispatcher.api.http.overload.intake import INTAKE, Intake
from dispatcher.api.http.overload.turns import (
    CHANGE_TURNS,
    CHANGES,
    EXPORT_TURNS,
    EXPORTS,
    SEARCH_TURNS,
    SEARCHES,
    TURNS,
    Turns,
)
from dispatcher.api.http.request.known_parameters import knowing
from dispatcher.api.http.response.middleware import EDGE, ERROR_PAGES, Edge
from dispatcher.api.http.response.preconditions import revalidating
from dispatcher.api.http.response.respond import nameless
from dispatcher.api.http.response.shadowing import shadowing, taking_only
from dispatcher.api.http.route import Route
from dispatcher.api.installing import AUTHORIZED_PATH, AUTHORIZING, CONNECTING, INSTALLING
from dispatcher.api.oauth.restore_key import restore_key
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.operational_events import notifying
from dispatcher.api.rest.definitions.portal_links import PORTAL_LINKS
from dispatcher.api.rest.events.accepting.at_once import accepting_at_once
from dispatcher.api.rest.events.accepting.events import EMIT
from dispatcher.api.rest.events.reading.stream import FEED, STREAMS, end_streams
from dispatcher.api.rest.events.reading.waiting import WAITS, Waits
from dispatcher.api.rest.jobs.redeliveries import REDELIVERER, REDELIVERIES
from dispatcher.api.services import CREDENTIAL_TRIALS, EFFECTIVE_SETTINGS, PING_STARTER, SERVICES, TRACING, Services
from dispatcher.api.table import api_routes
from dispatcher.api.watch.store import WATCH, StoreWatch, watching
from dispatcher.api.watch.verdict import VERDICT, EmitCounts, judging
from dispatcher.api.watch.verdict_sources import verdict_watch
from dispatcher.clock import Clock, StoreClock
from dispatcher.effective_settings import reference
from dispatcher.flow.connectors.authorizing import Authorizing
from dispatcher.flow.connectors.connecting import Connecting
from dispatcher.flow.events.acting.bulk_redelivery import Redeliverer
from dispatcher.flow.events.acting.bulk_step import BulkSteps
from dispatcher.flow.pings.request import PingStarter
from dispatcher.ids import new_uuid
from dispatcher.settings import Settings
from dispatcher.store.access.portal_links import PortalLinks
from dispatcher.store.access.rate_limits import RateLimits
from dispatcher.store.definitions.pings.starter import QueuedPings, open_jobs
from dispatcher.store.definitions.pings.trials import Trials
from dispatcher.store.health.loss import LossWatch
from dispatcher.store.health.meta import claim_meta
from dispatcher.store.health.pressure import Pressure
from dispatcher.store.health.set_aside import set_aside
from dispatcher.store.history.exemplars import ExemplarStore
from dispatcher.store.installations.installed.unfinished import updates_in_progress
from dispatcher.store.installations.parties.authorizations import AuthorizationStore
from dispatcher.store.queue.acting.redeliveries import RedeliveryStore
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.redis.connection import beside
from dispatcher.store.redis.server_time import ServerTime
from dispatcher.store.redis.together import together
from dispatcher.store.reseal.stale_count import StaleCount
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from dispatcher.telemetry.metrics_export import exporting
from dispatcher.telemetry.tracing import ended, tracing_of
from dispatcher.telemetry.watchdog import Watchdog

CLOCK_EVERY_S = 5.0
READ_CONNECTIONS = 32
"""To Redis, of whatever is read at a caller's wish."""
SERVER_TIME = web.AppKey("server_time", ServerTime)

log = structlog.get_logger("dispatcher.api")


async def build_app(
    settings: Settings, redis: StoreClient, *, clock: Clock | None = None, pings: PingStarter | None = None
) -> web.Application:
    """The API over ``redis``, which the caller opened and closes. Without ``pings`` ping tests go to the workers,
    without ``clock`` the time is the store's.

    Raises ``ConfigurationError``.
    """
    await claim_meta(redis, settings.partitions)
    store_clock = StoreClock()
    reading = beside(redis, max_connections=READ_CONNECTIONS)
    services, installing = composed(settings, redis, reading, clock or store_clock)
    calm = together(redis)
    server_time = ServerTime(calm, store_clock)
    await server_time.measure()
    admin = AdminClient(settings.admin_client_id, settings.admin_client_secret)
    await admin.ensure(services)
    emits = EmitCounts()
    app = _edged(Edge(emits.count), settings.max_body_bytes)
    app[SERVICES], app[EFFECTIVE_SETTINGS] = services, reference(settings)
    app[INSTALLING] = installing
    app.on_cleanup.append(_no_more_passwords)
    _bound_work(app)
    app[OAUTH] = await oauth_server(settings, services, redis)
    app[METRICS] = _metrics_page(services, redis)
    _keep_stores(app, redis)
    app[REDELIVERER] = _redeliverer(services, app[REDELIVERIES])
    app[STREAMS] = {}
    app[FEED] = services.reads.feed()
    app[WAITS] = Waits(app[FEED], services.reads)
    _ask_workers(app, settings, redis, pings)
    app[SERVER_TIME] = server_time
    if tracing := tracing_of("dispatcher-api", settings.traces_url):
        app[TRACING] = tracing
    app.cleanup_ctx.append(_traced)
    app[WATCH] = _watch(app, settings, redis, calm, admin)
    app.cleanup_ctx.append(partial(_connected, reading if reading is not redis else None))
    app.cleanup_ctx.extend([_running, notifying, watching, _on_time])
    _judge(app, settings, calm, store_clock, emits)
    app.cleanup_ctx.append(partial(_pushing_metrics, settings))
    app.on_shutdown.append(end_streams)
    app[METERS] = Meters(RateLimits(redis), settings.client_burst)
    _install(app, api_routes())
    _begin_at_once(app, settings.max_body_bytes)
    return app


def _edged(edge: Edge, max_body_bytes: int) -> web.Application:
    """With no routes yet; every answer passes ``edge``."""
    app = web.Application(client_max_size=max_body_bytes, middlewares=[edge.serve], handler_args=connection_arguments())
    app.on_response_prepare.append(nameless)
    app[ERROR_PAGES], app[EDGE] = [], edge
    return app


def _metrics_page(services: Services, redis: StoreClient) -> MetricsPage:
    updating, exemplars = partial(updates_in_progress, redis), ExemplarStore(redis)
    return MetricsPage(
        services.reads,
        Watchdog("api"),
        StaleCount(redis),
        updating,
        lambda: exemplars.read(services.now_ms()),
        partial(set_aside, redis),
    )


def _judge(app: web.Application, settings: Settings, calm: StoreClient, clock: StoreClock, emits: EmitCounts) -> None:
    """The verdict, judged for as long as the app runs."""
    app[VERDICT] = verdict_watch(
        calm,
        app[SERVICES],
        app[WATCH].pressure,
        settings.memory_high_water,
        clock,
        settings.disable_after_days,
        emits,
    )
    app.cleanup_ctx.append(judging)


def _bound_work(app: web.Application) -> None:
    """Bounds on what callers may have under way at once."""
    app[TURNS] = Turns()
    app[EXPORT_TURNS] = Turns(EXPORTS)
    app[SEARCH_TURNS] = Turns(SEARCHES)
    app[CHANGE_TURNS] = Turns(CHANGES)
    app[QUERY_TURNS] = Turns(LARGE_QUERIES)
    app[INTAKE] = Intake()


def _ask_workers(app: web.Application, settings: Settings, redis: StoreClient, pings: PingStarter | None) -> None:
    """Pings and trials of credentials, which workers run, and what is built on trials."""
    services, installing = app[SERVICES], app[INSTALLING]
    jobs = open_jobs(redis, settings.queue_redis_url)
    app.on_cleanup.append(lambda _: jobs.close())
    app[PING_STARTER] = pings or QueuedPings(jobs)
    app[CREDENTIAL_TRIALS] = trials = Trials(redis, jobs, services.cache.heard)
    app[CONNECTING] = Connecting(installing.connectors, services.installer.transitions, trials, services.audit)
    app[AUTHORIZING] = Authorizing(
        app[CONNECTING],
        services.installer,
        AuthorizationStore(redis),
        settings.base_url + AUTHORIZED_PATH,
    )


def _keep_stores(app: web.Application, redis: StoreClient) -> None:
    """Stores that single routes read and write, and nothing else does."""
    app[REDELIVERIES] = RedeliveryStore(redis)
    app[PORTAL_LINKS] = PortalLinks(redis)


def _redeliverer(services: Services, store: RedeliveryStore) -> Redeliverer:
    steps = BulkSteps(services.reads, services.definitions, services.cache, store, services.now_ms)
    return Redeliverer(steps, store, services.clients, new_uuid(), services.now_ms)


def _install(app: web.Application, routes: Sequence[Route]) -> None:
    app[DESCRIBED] = Described(routes, app[SERVICES].deployment.base_url)
    headed = {route.path for route in routes if route.method == hdrs.METH_HEAD}
    for route in routes:
        handler = revalidating(knowing(route)) if route.method == hdrs.METH_GET else route.handler
        admitted = admitting(replace(route, handler=handler), app[OAUTH].gate, app[METERS])
        app.router.add_route(route.method, route.path, admitted)
        if route.method == hdrs.METH_GET and route.path not in headed:
            app.router.add_route(hdrs.METH_HEAD, route.path, admitted)
    for path, methods in shadowing(routes).items():
        app.router.add_route(hdrs.METH_ANY, path, taking_only(methods))


def _begin_at_once(app: web.Application, max_body_bytes: int) -> None:
    """Let accepts begin at once, unless they are traced: a span begins and ends with its handler."""
    if TRACING not in app:
        accepts = accepting_at_once(app[SERVICES], max_body_bytes)
        app[AT_ONCE] = {EMIT.path: admitting_at_once(EMIT, app[OAUTH].gate, app[METERS], accepts)}


async def _running(app: web.Application) -> AsyncIterator[None]:
    services = app[SERVICES]
    following = services.installer.follower
    async with services.cache, services.acceptor, following, app[REDELIVERER], app[METRICS].watchdog.watching():
        yield


async def _connected(own: StoreClient | None, app: web.Application) -> AsyncIterator[None]:
    """Ends connections that are the application's own, once nothing runs that could use them."""
    yield
    if own is not None:
        await own.aclose()


async def _traced(app: web.Application) -> AsyncIterator[None]:
    """Sends what is left of spans at the end."""
    async with ended(app.get(TRACING)):
        yield


async def _pushing_metrics(settings: Settings, app: web.Application) -> AsyncIterator[None]:
    """Sends metrics where the deployment wants them to be pushed."""

    def now_ns() -> int:
        return app[SERVICES].now_ms() * 1_000_000

    url, interval_s = settings.metrics_url, settings.metrics_interval
    async with exporting("dispatcher-api", url, interval_s, partial(collected, app), now_ns):
        yield


async def _no_more_passwords(app: web.Application) -> None:
    app[INSTALLING].passwords.close()


async def _on_time(app: web.Application) -> AsyncIterator[None]:
    following = asyncio.create_task(app[SERVER_TIME].follow(CLOCK_EVERY_S), name="server-time")
    yield
    following.cancel()
    await asyncio.wait([following])


def _watch(
    app: web.Application, settings: Settings, redis: StoreClient, calm: StoreClient, admin: AdminClient
) -> StoreWatch:
    services = app[SERVICES]
    losses = LossWatch(calm, "api", partitions=settings.partitions, retention_ms=settings.retention_ms)

    async def restore() -> None:
        services.cache.clear()
        await claim_meta(redis, settings.partitions)
        await admin.ensure(services)
        await restore_key(app[OAUTH].keys, SigningKeyStore(redis), services.sealer)

    return StoreWatch(Pressure(calm, settings.memory_high_water), losses, services.acceptor, restore)
