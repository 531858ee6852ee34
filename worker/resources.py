"""Resources that the parts of a worker share: stores, sessions, keys, the clock. Opened and closed here; uses none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from dispatcher.clock import StoreClock
from dispatcher.errors import ConfigurationError
from dispatcher.flow.events.making.operational_events import OperationalEvents
from dispatcher.model.operational import Notify
from dispatcher.policy.addresses.networks import Address, refusal
from dispatcher.policy.addresses.proxies import read_proxy
from dispatcher.policy.addresses.urls import url_refusal
from dispatcher.settings import Settings
from dispatcher.store.archive.archive import Archive, archive_in
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.schedule.glance import Glance
from dispatcher.store.health.workers.ids import new_call, worker_id
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.jobs import JobQueue, job_client
from dispatcher.store.keys.definitions import PINGS_DUE, ROTATIONS_DUE
from dispatcher.store.keys.installations import ERASURES, FREED, OUTBOX, PENDING, UPGRADES
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.partition import PartitionStore
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.redis.connection import connect, connect_listener
from dispatcher.store.redis.together import together
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.telemetry.tracing import Tracing, ended, tracing_of
from worker.delivery.delivery import Identity
from worker.delivery.targets.callbacks import CallbackTargets
from worker.delivery.targets.lookup import Targets
from worker.delivery.targets.operational import operations_target
from worker.delivery.targets.target import Defaults, Target, TargetOpener
from worker.http.own_addresses import hosts_of, own_addresses
from worker.http.resolver import THREAD_WITHIN_S, SystemResolver
from worker.http.transport import Egress
from worker.http.transport_sessions import TransportSessions

DUE = (PINGS_DUE, ROTATIONS_DUE, OUTBOX, PENDING, UPGRADES, FREED, ERASURES)
"""Sorted sets of times that a worker looks into all the time."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Everything kept in Redis, and the queue of arq's jobs."""

    redis: StoreClient
    listener: StoreClient
    """For subscriptions, and for what only the node says at which they are."""
    jobs: JobQueue
    definitions: Definitions
    cache: DefinitionCache
    partitions: PartitionStore
    queue: QueueStore
    archive: Archive | None
    """None = what ended stays in Redis."""
    calm: StoreClient
    """For what is done every so often: whatever is asked in one moment is one request."""
    glance: Glance
    """Of what is due at a time, which is looked for often."""


@dataclass(frozen=True, slots=True)
class Resources:
    """One set per process. ``operations`` None: no operator listens to ``operational``."""

    worker_id: str
    settings: Settings
    stores: Stores
    egress: Egress
    sessions: TransportSessions
    sealer: Sealer
    clock: StoreClock
    operations: Target | None
    operational: OperationalEvents
    tracing: Tracing | None
    """None = nobody is told of spans."""

    @property
    def identity(self) -> Identity:
        return Identity(self.settings.base_url, self.settings.partner)

    @property
    def notify(self) -> Notify | None:
        return self.operational.notify if self.operations else None

    def targets(self) -> Targets:
        return Targets(TargetOpener(self.sealer, _defaults(self.settings)))

    def callbacks(self) -> CallbackTargets:
        return CallbackTargets(MarketplaceStore(self.stores.redis), self.sealer, _defaults(self.settings))


@contextlib.asynccontextmanager
async def open_resources(
    settings: Settings, redis_url: str, queue_url: str, called: str = ""
) -> AsyncIterator[Resources]:
    """Resources for as long as the context is open. ``queue_url`` is the Redis of arq's jobs.

    ``called`` ends the worker's id, so that whoever started the process knows it; without one it is drawn.
    """
    clock, tracing = StoreClock(), tracing_of("dispatcher-worker", settings.traces_url)
    async with ended(tracing), _stores_of(settings, redis_url, queue_url, clock) as stores:
        egress = egress_of(settings, await own_addresses([settings.host, *hosts_of([redis_url, queue_url])]))
        async with egress.plain() as plain, TransportSessions(plain, egress.session) as sessions:
            yield Resources(
                worker_id=worker_id(os.getpid(), called or new_call()),
                settings=settings,
                stores=stores,
                egress=egress,
                sessions=sessions,
                sealer=Sealer([key.get_secret_value() for key in settings.secret_keys]),
                clock=clock,
                operations=operations_of(settings),
                operational=OperationalEvents(stores.queue, clock.now_ms),
                tracing=tracing,
            )


@contextlib.asynccontextmanager
async def _stores_of(settings: Settings, redis_url: str, queue_url: str, clock: StoreClock) -> AsyncIterator[Stores]:
    async with contextlib.AsyncExitStack() as stack:
        redis = connect(redis_url, client_name="dispatcher-worker")
        stack.push_async_callback(redis.aclose)
        job_redis = job_client(queue_url)
        stack.push_async_callback(job_redis.aclose, close_connection_pool=True)
        listener = connect_listener(redis_url)
        stack.push_async_callback(listener.aclose)
        calm = together(redis)
        glance = Glance(calm, DUE, clock.now_ms)
        definitions = Definitions(redis, glance)
        cache = await stack.enter_async_context(DefinitionCache(definitions, listener))
        archive = archive_in(settings.archive_place, redis, clock.now_ms)
        queue = _queue(settings, redis, archive)
        partitions = _partitions(settings, redis, calm)
        jobs = JobQueue(job_redis, redis)
        yield Stores(redis, listener, jobs, definitions, cache, partitions, queue, archive, calm, glance)


def _queue(settings: Settings, redis: StoreClient, archive: Archive | None) -> QueueStore:
    """Contents that a worker accepts (notifications, operational events) stay plain for older workers beside it."""
    known = {"partitions": settings.partitions, "retention_ms": settings.retention_ms}
    return QueueStore(redis, **known, archive=archive, pack=False)


def _partitions(settings: Settings, redis: StoreClient, calm: StoreClient) -> PartitionStore:
    return PartitionStore(
        redis,
        calm=calm,
        partitions=settings.partitions,
        retention_ms=settings.retention_ms,
        lease_ms=int(settings.lease * 1000),
        lane_cap=min(32, settings.lane_concurrency),
        run=settings.run,
    )


def _defaults(settings: Settings) -> Defaults:
    return Defaults(
        settings.retry_schedule, settings.request_timeout, settings.result_deadline, settings.token_lifetime
    )


def egress_of(settings: Settings, own: tuple[Address, ...]) -> Egress:
    """As the operator set it up; ``own`` are this deployment's own addresses."""
    proxy = read_proxy(settings.proxy_url.get_secret_value()) if settings.proxy_url else None
    if isinstance(proxy, str):
        raise ConfigurationError(f"DISPATCHER_PROXY_URL cannot be used: {proxy}")
    allowed, denied = settings.allow_networks, settings.deny_networks
    return Egress(
        partial(refusal, allow_networks=allowed, own=own, deny_networks=denied),
        partial(url_refusal, require_https=False, allow_networks=allowed, deny_networks=denied, ports=settings.ports),
        proxy,
        settings.connect_timeout,
        settings.request_timeout,
        settings.ports.denied,
        SystemResolver(within_s=min(THREAD_WITHIN_S, settings.connect_timeout / 2)),
    )


def operations_of(settings: Settings) -> Target | None:
    """The target of operational events, None where no operator listens. Raises ``ConfigurationError``."""
    url, secret = settings.operations_url, settings.operations_secret
    text = secret.get_secret_value() if secret else None
    return operations_target(url, text, settings.allow_networks, _defaults(settings))
