"""The worker process: put together here, started here, stopped here.

arq hands out partitions and background jobs (``worker.jobs``); the owner drains them (``worker.owner``) for as long
as its lease lives. No job of arq stays while a partition is owned: arq asks Redis about every job at every poll.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import resource
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog

from dispatcher.clock import StoreClock
from dispatcher.errors import StoreUnavailable
from dispatcher.flow.conclude import Conclusions
from dispatcher.flow.operational_news import OperationalNews
from dispatcher.flow.ping_schedule import Probing
from dispatcher.flow.rotation_schedule import Rotating
from dispatcher.model.operational import to_nobody
from dispatcher.settings import Settings
from dispatcher.store.audit_log import DAY_MS, AuditLog
from dispatcher.store.connection import connect, connect_listener
from dispatcher.store.definition_cache import DefinitionCache
from dispatcher.store.definitions import Definitions
from dispatcher.store.handle import StoreHandle
from dispatcher.store.heartbeats import Heartbeats
from dispatcher.store.job_queue import CREDENTIALS, DRAIN, PING, JobQueue, job_client
from dispatcher.store.loss import LossWatch
from dispatcher.store.nudges import follow_nudges
from dispatcher.store.partition import PartitionStore
from dispatcher.store.ping_starter import QueuedPings
from dispatcher.store.ping_trials import Trials
from dispatcher.store.queue import QueueStore
from dispatcher.store.sealing import Sealer
from dispatcher.store.server_time import ServerTime
from dispatcher.store.tokens import TokenStore
from dispatcher.telemetry.watchdog import Watchdog
from worker.attempt import Identity, Sender
from worker.deliver import Deliverer
from worker.jobs import Job, NotNow, take_jobs
from worker.lookup import Lookup
from worker.metrics import metrics_site
from worker.operational import operations_target
from worker.own_addresses import hosts_of, own_addresses
from worker.owner import Owner
from worker.ping import Pinger
from worker.ping_connection import Wayfinder
from worker.ping_credentials import CredentialTrier
from worker.probes import run_probes
from worker.resealing import Resealing
from worker.rotating import run_rotations
from worker.runner import LanePolicy, Runner
from worker.stragglers import LENT_TIMES
from worker.target import Defaults, Targets
from worker.tokens import token_source
from worker.transport import egress_of
from worker.transport_sessions import TransportSessions
from worker.upkeep import Upkeep

SPARE_FILES = 200
"""For Redis, logs, metrics and lookups."""

log = structlog.get_logger("worker")


@dataclass(frozen=True, slots=True)
class Crew:
    """The parts of a running worker."""

    owner: Owner
    upkeep: Upkeep
    beats: Heartbeats
    jobs: JobQueue
    pinger: Pinger
    trier: CredentialTrier
    probing: Probing
    resealing: Resealing
    rotating: Rotating
    news: OperationalNews

    @property
    def work(self) -> dict[str, Job]:
        """Every job by its name."""
        return {DRAIN: self.drain, PING: self.pinger.run, CREDENTIALS: self.trier.run}

    async def drain(self, partition: int, generation: int) -> None:
        """The job that hands this worker a partition; one that has its share leaves it to others."""
        if len(self.owner.holdings) >= self.upkeep.share and partition not in self.owner.holdings:
            raise NotNow
        with contextlib.suppress(StoreUnavailable):
            await self.owner.drain(partition, generation)


async def run(settings: Settings, redis_url: str, stop: asyncio.Event) -> None:
    """Work until ``stop`` is set, then let running attempts end within ``drain_timeout`` and let go of everything."""
    queue_url = settings.queue_redis_url or redis_url
    watchdog = Watchdog("worker")
    async with (
        watchdog.watching(),
        _crew(settings, redis_url, queue_url) as crew,
        metrics_site(settings, crew.owner, watchdog),
    ):
        halt = asyncio.Event()
        tasks = [
            asyncio.create_task(crew.owner.run(halt), name="owner"),
            asyncio.create_task(crew.upkeep.run(halt), name="upkeep"),
            asyncio.create_task(follow_nudges(redis_url, crew.owner.worker_id, crew.owner.nudge), name="nudges"),
            asyncio.create_task(take_jobs(queue_url, settings.partitions, crew.work), name="jobs"),
            asyncio.create_task(run_probes(crew.probing, halt), name="probes"),
            asyncio.create_task(crew.resealing.run(halt), name="resealing"),
            asyncio.create_task(run_rotations(crew.rotating, halt), name="rotations"),
            asyncio.create_task(crew.news.run(halt), name="operational news"),
        ]
        log.info("worker started", worker=crew.owner.worker_id)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        log.info("worker stopping", in_flight=crew.owner.in_flight)
        for task in (stopping, *tasks[2:]):
            task.cancel()
        halt.set()
        crew.owner.nudge()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await crew.owner.stop(settings.drain_timeout)
        await crew.news.flush(everything=True)
        with contextlib.suppress(StoreUnavailable):
            await crew.beats.leave(crew.owner.worker_id)
            await crew.upkeep.hand_out()
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


@contextlib.asynccontextmanager
async def _crew(settings: Settings, redis_url: str, queue_url: str) -> AsyncIterator[Crew]:
    worker_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    async with contextlib.AsyncExitStack() as stack:
        redis = connect(redis_url, client_name="dispatcher-worker")
        stack.push_async_callback(redis.aclose)
        job_redis = job_client(queue_url)
        stack.push_async_callback(job_redis.aclose, close_connection_pool=True)
        listener = connect_listener(redis_url)
        stack.push_async_callback(listener.aclose)
        sealer = Sealer([key.get_secret_value() for key in settings.secret_keys])
        definitions = Definitions(redis)
        cache = await stack.enter_async_context(DefinitionCache(definitions, listener))
        egress = egress_of(settings, await own_addresses([settings.host, *hosts_of([redis_url, queue_url])]))
        plain = await stack.enter_async_context(egress.plain())
        sessions = await stack.enter_async_context(TransportSessions(plain, egress.session))
        store = _partitions(settings, redis)
        queue = QueueStore(redis, partitions=settings.partitions, retention_ms=settings.retention_ms)
        clock = StoreClock()
        counted: list[Owner] = []
        tokens = token_source(
            sessions,
            TokenStore(redis, sealer, pepper=_pepper(settings)),
            clock,
            on_fetch=lambda good: counted[0].count("tokens:ok" if good else "tokens:failed"),
        )
        stack.push_async_callback(tokens.close)
        news = OperationalNews(queue, clock.now_ms)
        defaults = Defaults(settings.retry_schedule, settings.request_timeout, settings.result_deadline)
        operations = operations_target(settings, defaults)
        identity = Identity(settings.base_url, settings.partner)
        lookup = Lookup(cache, Targets(sealer, defaults), operations)
        deliverer = Deliverer(Sender(sessions, tokens, identity), lookup, worker_id)
        runner = Runner(store, queue, deliverer, _lane_policy(settings), news.tell if operations else None)
        places, lent = settings.concurrency, _lent(settings.concurrency)
        owner = Owner(worker_id, store, runner, clock, concurrency=places, lent=lent, lease_s=settings.lease)
        counted.append(owner)
        losses = LossWatch(redis, "worker", partitions=settings.partitions, retention_ms=settings.retention_ms)
        await stack.enter_async_context(losses.following())
        jobs, beats = JobQueue(job_redis), Heartbeats(redis)
        conclusions = Conclusions(queue, cache, clock.now_ms)
        ways = Wayfinder(egress.rule, connect_timeout_s=settings.connect_timeout, egress=egress)
        stack.push_async_callback(ways.close)
        pinger = Pinger(definitions, Targets(sealer, defaults), sessions, ways, identity, clock)
        probing = Probing(definitions, QueuedPings(jobs), settings.request_timeout)
        trier = CredentialTrier(Trials(redis, jobs), sealer, sessions, clock)
        upkeep = Upkeep(owner, store, jobs, beats, conclusions, clock, ServerTime(redis, clock))
        resealing = Resealing(redis, sealer, worker_id)
        audit = AuditLog(redis, int(settings.audit_days * DAY_MS), settings.audit_entries)
        tell = news.tell if operations else to_nobody
        rotating = Rotating(definitions, definitions.rotations, sealer, audit, tell)
        yield Crew(owner, upkeep, beats, jobs, pinger, trier, probing, resealing, rotating, news)


def _partitions(settings: Settings, redis: StoreHandle) -> PartitionStore:
    return PartitionStore(
        redis,
        partitions=settings.partitions,
        retention_ms=settings.retention_ms,
        lease_ms=int(settings.lease * 1000),
        lane_cap=min(32, settings.lane_concurrency),
    )


def _lent(concurrency: int) -> int:
    """Places of slow hosts to lend, within the files that this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = files - concurrency - SPARE_FILES if files != resource.RLIM_INFINITY else LENT_TIMES * concurrency
    return max(0, min(LENT_TIMES * concurrency, room))


def _pepper(settings: Settings) -> bytes:
    """Keeps names of cached tokens from telling anything about the secrets that they were got with."""
    return hashlib.blake2b(settings.secret_keys[-1].get_secret_value().encode(), person=b"token-names").digest()


def _lane_policy(settings: Settings) -> LanePolicy:
    return LanePolicy(settings.lane_concurrency, settings.circuit_failures, settings.circuit_open)
