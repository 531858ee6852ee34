"""Puts a worker together on its ground: what delivers, what pings and what keeps up. Runs none of it."""

from __future__ import annotations

import contextlib
import hashlib
import resource
from collections.abc import AsyncIterator
from dataclasses import dataclass

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.events.conclude import Conclusions
from dispatcher.flow.events.operational_news import OperationalNews
from dispatcher.flow.integrations.rotation_schedule import Rotating
from dispatcher.flow.pings.schedule import Probing
from dispatcher.model.operational import to_nobody
from dispatcher.settings import Settings
from dispatcher.store.audit_log.log import AuditLog
from dispatcher.store.definitions.ping_starter import QueuedPings
from dispatcher.store.definitions.trials import Trials
from dispatcher.store.health.heartbeats import Heartbeats
from dispatcher.store.health.loss import LossWatch
from dispatcher.store.jobs import CREDENTIALS, DRAIN, PING
from dispatcher.store.redis.server_time import ServerTime
from dispatcher.store.secrets.tokens import TokenStore
from worker.delivery.deliver import Deliverer, Sender
from worker.delivery.lookup import Lookup
from worker.jobs import Job, NotNow
from worker.oauth.client import token_source
from worker.partition.owner import Owner
from worker.partition.runner import LanePolicy, Runner
from worker.partition.slow_attempts import LENT_TIMES
from worker.ping.connection import Wayfinder
from worker.ping.credentials import CredentialTrier
from worker.ping.pinger import Pinger
from worker.resealing import Resealing
from worker.resources import Ground
from worker.upkeep import Upkeep

SPARE_FILES = 200
"""For Redis, logs, metrics and lookups."""


@dataclass(frozen=True, slots=True)
class Pings:
    """What pings: tests that were asked for, credentials that are tried out, tests on schedule."""

    pinger: Pinger
    trier: CredentialTrier
    probing: Probing


@dataclass(frozen=True, slots=True)
class Crew:
    """The parts of a worker, to be run."""

    owner: Owner
    pings: Pings
    upkeep: Upkeep
    beats: Heartbeats
    resealing: Resealing
    rotating: Rotating
    news: OperationalNews

    @property
    def work(self) -> dict[str, Job]:
        """Every job by its name."""
        return {DRAIN: self.drain, PING: self.pings.pinger.run, CREDENTIALS: self.pings.trier.run}

    async def drain(self, partition: int, generation: int) -> None:
        """The job that hands this worker a partition; one that has its share leaves it to others."""
        if len(self.owner.holdings) >= self.upkeep.share and partition not in self.owner.holdings:
            raise NotNow
        with contextlib.suppress(StoreUnavailable):
            await self.owner.drain(partition, generation)


@contextlib.asynccontextmanager
async def crew_of(ground: Ground) -> AsyncIterator[Crew]:
    """A crew for as long as the context is open."""
    async with _delivering(ground) as owner, _losses(ground).following(), _pinging(ground) as pings:
        beats = Heartbeats(ground.stores.redis)
        upkeep = _upkeep(ground, owner, beats)
        resealing = Resealing(ground.stores.redis, ground.sealer, ground.worker_id)
        yield Crew(owner, pings, upkeep, beats, resealing, _rotating(ground), ground.news)


@contextlib.asynccontextmanager
async def _delivering(ground: Ground) -> AsyncIterator[Owner]:
    settings, stores, clock = ground.settings, ground.stores, ground.clock
    owner: Owner  # is made of what fetches tokens, and counts what it fetches
    tokens = token_source(
        ground.sessions,
        TokenStore(stores.redis, ground.sealer, pepper=_pepper(settings)),
        clock,
        on_fetch=lambda good: owner.count("tokens:ok" if good else "tokens:failed"),
    )
    sender = Sender(ground.sessions, tokens, ground.identity, clock)
    lookup = Lookup(stores.cache, ground.targets(), ground.operations)
    deliverer = Deliverer(lookup, sender, clock, ground.worker_id)
    lanes = LanePolicy(settings.lane_concurrency, settings.circuit_failures, settings.circuit_open)
    runner = Runner(stores.partitions, stores.queue, deliverer, lanes, clock, ground.tell)
    places, lent = settings.concurrency, _lent(settings.concurrency)
    owner = Owner(
        ground.worker_id, stores.partitions, runner, clock, concurrency=places, lent=lent, lease_s=settings.lease
    )
    try:
        yield owner
    finally:
        await tokens.close()


def _pepper(settings: Settings) -> bytes:
    """Keeps names of cached tokens from telling anything about the secrets that they were got with."""
    return hashlib.blake2b(settings.secret_keys[-1].get_secret_value().encode(), person=b"token-names").digest()


def _lent(concurrency: int) -> int:
    """Places of slow hosts to lend, within the files that this process may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = files - concurrency - SPARE_FILES if files != resource.RLIM_INFINITY else LENT_TIMES * concurrency
    return max(0, min(LENT_TIMES * concurrency, room))


@contextlib.asynccontextmanager
async def _pinging(ground: Ground) -> AsyncIterator[Pings]:
    settings, stores, sessions, clock = ground.settings, ground.stores, ground.sessions, ground.clock
    ways = Wayfinder(ground.egress.rule, connect_timeout_s=settings.connect_timeout, egress=ground.egress)
    try:
        yield Pings(
            Pinger(stores.definitions, ground.targets(), sessions, ways, ground.identity, clock),
            CredentialTrier(Trials(stores.redis, stores.jobs), ground.sealer, sessions, clock),
            Probing(stores.definitions, QueuedPings(stores.jobs), settings.request_timeout),
        )
    finally:
        await ways.close()


def _losses(ground: Ground) -> LossWatch:
    settings, redis = ground.settings, ground.stores.redis
    return LossWatch(redis, "worker", partitions=settings.partitions, retention_ms=settings.retention_ms)


def _upkeep(ground: Ground, owner: Owner, beats: Heartbeats) -> Upkeep:
    stores, clock = ground.stores, ground.clock
    conclusions = Conclusions(stores.queue, stores.cache, clock.now_ms)
    server_time = ServerTime(stores.redis, clock)
    return Upkeep(owner, stores.partitions, stores.jobs, beats, conclusions, clock, server_time)


def _rotating(ground: Ground) -> Rotating:
    settings, definitions = ground.settings, ground.stores.definitions
    audit = AuditLog(ground.stores.redis, settings.audit_ms, settings.audit_entries)
    return Rotating(definitions, definitions.rotations_due, ground.sealer, audit, ground.tell or to_nobody)
