"""The composition root of the API: puts the services together and installs the route table. Holds no logic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import structlog
from aiohttp import web

from dispatcher.api.access import admitting
from dispatcher.api.documents.openapi import DOCUMENT, build_document
from dispatcher.api.graphql.context import CREDENTIAL_TRIALS, PING_STARTER
from dispatcher.api.health import METRICS, MetricsPage
from dispatcher.api.http.aiohttp_inside.connection import connection_arguments
from dispatcher.api.http.known_parameters import knowing
from dispatcher.api.http.middleware import ERROR_PAGES, edge
from dispatcher.api.http.route import Route
from dispatcher.api.installing import INSTALLING, Installing, build_installing
from dispatcher.api.metering import METERS, Meters
from dispatcher.api.oauth.directory import Directory
from dispatcher.api.oauth.gate import Gate
from dispatcher.api.oauth.guessing import Guessing
from dispatcher.api.oauth.keys import load_keys
from dispatcher.api.oauth.rejoining import rejoin
from dispatcher.api.oauth.routes import OAUTH, OAuthServer
from dispatcher.api.oauth.tokens import AccessTokenMaker, TokenReader
from dispatcher.api.operations_news import telling
from dispatcher.api.rest.redeliveries import REDELIVERER
from dispatcher.api.rest.stream import STREAMS, end_streams
from dispatcher.api.services import SERVICES, Services
from dispatcher.api.store_watch import WATCH, StoreWatch, watching
from dispatcher.api.table import api_routes
from dispatcher.clock import Clock, StoreClock
from dispatcher.errors import ConfigurationError
from dispatcher.flow.events.accept import Acceptor
from dispatcher.flow.events.bulk_redelivery import Redeliverer
from dispatcher.flow.events.emit import Emitter
from dispatcher.flow.events.operational_news import OperationalNews
from dispatcher.flow.installations.creation import Creation
from dispatcher.flow.installations.effects import Effects
from dispatcher.flow.installations.installer import Installer
from dispatcher.flow.installations.parties import Parties
from dispatcher.flow.installations.setting_seals import SettingSeals
from dispatcher.flow.installations.transitions import Transitions
from dispatcher.flow.pings.request import PingStarter
from dispatcher.model.access import ADMIN_SCOPES, ApiClient
from dispatcher.model.audit_entry import Author
from dispatcher.settings import Settings
from dispatcher.store.access.clients import ClientStore, hash_secret
from dispatcher.store.access.rate_limits import RateLimits
from dispatcher.store.audit_log.log import AuditLog, Noting
from dispatcher.store.definitions.cache import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.ping_starter import QueuedPings, open_jobs
from dispatcher.store.definitions.trials import Trials
from dispatcher.store.health.loss import LossWatch
from dispatcher.store.health.meta import claim_meta
from dispatcher.store.health.pressure import Pressure
from dispatcher.store.installations.installations import InstallationStore
from dispatcher.store.installations.marketplaces import MarketplaceStore
from dispatcher.store.installations.outbox import Outbox
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.redeliveries import RedeliveryStore
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.redis.server_time import ServerTime
from dispatcher.store.reseal.stale_count import StaleCount
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.store.secrets.signing_keys import RevokedTokens, SigningKeyStore
from dispatcher.telemetry.watchdog import Watchdog

MIN_SECRET_CHARS = 16
CLOCK_EVERY_S = 5.0
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
    definitions = Definitions(redis)
    cache = DefinitionCache(definitions, redis)
    sealer = Sealer([key.get_secret_value() for key in settings.secret_keys])
    installing = build_installing(settings, redis, cache, sealer)
    services = _services(settings, redis, clock or store_clock, definitions, cache, sealer, installing)
    server_time = ServerTime(redis, store_clock)
    await server_time.measure()
    await _ensure_admin(services)
    app = web.Application(
        client_max_size=settings.max_body_bytes,
        middlewares=[edge()],
        handler_args=connection_arguments(),
    )
    app[SERVICES] = services
    app[INSTALLING] = installing
    app.on_cleanup.append(_no_more_passwords)
    app[ERROR_PAGES] = []
    app[OAUTH] = await _oauth(services, redis)
    app[METRICS] = MetricsPage(services.queue, Watchdog("api"), StaleCount(redis))
    app[REDELIVERER] = Redeliverer(services.queue, services.definitions, services.cache, RedeliveryStore(redis))
    app[STREAMS] = {}
    jobs = open_jobs(redis, settings.queue_redis_url)
    app.on_cleanup.append(lambda _: jobs.close())
    app[PING_STARTER] = pings or QueuedPings(jobs)
    app[CREDENTIAL_TRIALS] = Trials(redis, jobs)
    app[SERVER_TIME] = server_time
    app[WATCH] = _watch(app, redis)
    app.cleanup_ctx.append(_running)
    app.cleanup_ctx.append(telling)
    app.cleanup_ctx.append(watching)
    app.cleanup_ctx.append(_on_time)
    app.on_shutdown.append(end_streams)
    app[METERS] = Meters(RateLimits(redis), settings.client_burst)
    _install(app, api_routes())
    return app


def _install(app: web.Application, routes: Sequence[Route]) -> None:
    app[DOCUMENT] = build_document(routes, app[SERVICES].settings.base_url)
    for route in routes:
        admitted = admitting(replace(route, handler=knowing(route)), app[OAUTH].gate, app[METERS])
        app.router.add_route(route.method, route.path, admitted)


async def _running(app: web.Application) -> AsyncIterator[None]:
    services = app[SERVICES]
    async with services.cache, services.acceptor, app[REDELIVERER], app[METRICS].watchdog.watching():
        yield


async def _no_more_passwords(app: web.Application) -> None:
    app[INSTALLING].passwords.close()


async def _on_time(app: web.Application) -> AsyncIterator[None]:
    following = asyncio.create_task(app[SERVER_TIME].follow(CLOCK_EVERY_S), name="server-time")
    yield
    following.cancel()
    await asyncio.wait([following])


def _watch(app: web.Application, redis: StoreClient) -> StoreWatch:
    services = app[SERVICES]
    settings = services.settings
    losses = LossWatch(redis, "api", partitions=settings.partitions, retention_ms=settings.retention_ms)

    async def restore() -> None:
        services.cache.clear()
        await claim_meta(redis, settings.partitions)
        await _ensure_admin(services)
        await rejoin(app[OAUTH].keys, SigningKeyStore(redis), services.sealer)

    return StoreWatch(Pressure(redis, settings.memory_high_water), losses, services.acceptor, restore)


def _services(
    settings: Settings,
    redis: StoreClient,
    clock: Clock,
    definitions: Definitions,
    cache: DefinitionCache,
    sealer: Sealer,
    installing: Installing,
) -> Services:
    queue = QueueStore(
        redis,
        partitions=settings.partitions,
        retention_ms=settings.retention_ms,
        min_replicas=settings.min_replicas,
    )

    def now_ms() -> int:
        return int(clock() * 1000)

    return Services(
        settings=settings,
        clock=clock,
        queue=queue,
        emitter=Emitter(cache, queue.partition_of, now_ms),
        acceptor=Acceptor(queue),
        definitions=definitions,
        cache=cache,
        clients=ClientStore(redis),
        sealer=sealer,
        news=OperationalNews(queue, now_ms) if settings.operations_url else None,
        audit=AuditLog(redis, settings.audit_ms, settings.audit_entries, logged=True),
        marketplaces=MarketplaceStore(redis),
        installer=_installer(redis, queue, definitions, cache, sealer, installing, now_ms),
    )


def _installer(
    redis: StoreClient,
    queue: QueueStore,
    definitions: Definitions,
    cache: DefinitionCache,
    sealer: Sealer,
    installing: Installing,
    now_ms: Callable[[], int],
) -> Installer:
    parties = Parties(installing.accounts, installing.connectors)
    store, seals = InstallationStore(redis), SettingSeals(sealer)
    transitions = Transitions(store, Effects(Outbox(redis), queue), parties, queue.partitions, now_ms)
    creation = Creation(transitions, cache, parties, seals)
    return Installer(store, definitions, cache, transitions, creation, seals)


async def _oauth(services: Services, redis: StoreClient) -> OAuthServer:
    issuer = services.settings.base_url
    keys = await load_keys(SigningKeyStore(redis), services.sealer)
    reader = TokenReader(issuer, keys)
    directory = Directory(services.clients, services.definitions)
    revoked = RevokedTokens(redis)
    return OAuthServer(
        issuer=issuer,
        keys=keys,
        maker=AccessTokenMaker(issuer, keys, services.clock),
        reader=reader,
        directory=directory,
        revoked=revoked,
        gate=Gate(reader, directory, revoked, services.clock, services.settings.client_rate),
        guessing=Guessing(RateLimits(redis), services.settings.auth_failures),
        clock=services.clock,
    )


async def _ensure_admin(services: Services) -> None:
    """Create the client that the settings name, or bring it up to date with them."""
    client_id, secret = services.settings.admin_client_id, services.settings.admin_client_secret
    if client_id is None and secret is None:
        return
    if not client_id or secret is None or not secret.get_secret_value():
        raise ConfigurationError("set both DISPATCHER_ADMIN_CLIENT_ID and DISPATCHER_ADMIN_CLIENT_SECRET, or neither")
    if len(secret.get_secret_value()) < MIN_SECRET_CHARS:
        log.warning("DISPATCHER_ADMIN_CLIENT_SECRET can be guessed", at_least_characters=MIN_SECRET_CHARS)
    known = await services.clients.get(client_id)
    wanted = ApiClient(
        client_id=client_id,
        secret_hash=hash_secret(secret.get_secret_value()),
        scopes=frozenset(scope.value for scope in ADMIN_SCOPES),
        created_ms=known.created_ms if known else services.now_ms(),
        name="admin",
    )
    if wanted != known:
        noting = Noting(services.audit, Author("settings"), "ensureAdmin", services.now_ms())
        await services.clients.noted(noting).put(wanted)
