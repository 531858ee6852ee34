"""Puts the parts of a worker together: delivering, pinging, upkeep. Runs none of them."""

from __future__ import annotations

import contextlib
import hashlib
import resource
from collections.abc import AsyncIterator
from dataclasses import dataclass

from dispatcher.errors import StoreUnavailable
from dispatcher.flow.connectors.erasing import Erasing
from dispatcher.flow.connectors.renewing import Renewals
from dispatcher.flow.events.acting.conclude import Conclusions
from dispatcher.flow.events.making.operational_events import OperationalEvents
from dispatcher.flow.installations.upkeep.drafts import Drafts
from dispatcher.flow.installations.upkeep.reconcile import Reconciler
from dispatcher.flow.installations.upkeep.upgrade_rounds import UpgradeRounds
from dispatcher.flow.integrations.credentials.rotation_schedule import Rotating
from dispatcher.flow.pings.schedule import Probing
from dispatcher.model.operational import to_nobody
from dispatcher.policy.figures.tallies import Tallies
from dispatcher.policy.pace.places import Places, TenantOf, slots
from dispatcher.settings import Settings
from dispatcher.store.archive.upkeep.writing import ArchiveWriter
from dispatcher.store.audit_log.log import AuditLog
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.pings.starter import QueuedPings
from dispatcher.store.definitions.pings.trials import Trials
from dispatcher.store.health.loss import LossWatch
from dispatcher.store.health.workers.heartbeats import Heartbeats
from dispatcher.store.health.workers.listeners import Listeners
from dispatcher.store.history.exemplars import ExemplarStore
from dispatcher.store.history.fleet import FleetHistory
from dispatcher.store.history.lanes import LaneHistory
from dispatcher.store.history.sampled import SampledCounters
from dispatcher.store.installations.parties.connectors import ConnectorStore
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.jobs import CREDENTIALS, DRAIN, PING
from dispatcher.store.queue.owning.leases import Leases
from dispatcher.store.queue.views.paused_types import PausedTypes
from dispatcher.store.redis.server_time import ServerTime
from dispatcher.store.reseal.key_check import KeyCheck
from dispatcher.store.secrets.tokens import TokenStore
from worker import installing
from worker.archiving import Archiving
from worker.delivery.accounts.connectors import AccountLookup, Accounts
from worker.delivery.deliver import Deliverer
from worker.delivery.held_types import HeldTypes
from worker.delivery.sending import Sender
from worker.delivery.targets.lookup import Lookup
from worker.delivery.traces import AttemptTraces, TracedSender
from worker.jobs import Heard, Job, NotNow
from worker.lookout import Lookout
from worker.oauth.client import token_source
from worker.oauth.grants import GrantClient
from worker.oauth.renewal import Renewer
from worker.oauth.source import TokenSource
from worker.partition.owner import Owner
from worker.partition.runner import LanePolicy, Runner
from worker.partition.traced_owner import TracedOwner
from worker.ping.account_trial import AccountTrier
from worker.ping.code_trial import CodeRedeemer
from worker.ping.connection import ConnectionCheck
from worker.ping.credentials import CredentialTrier
from worker.ping.errands import Errands
from worker.ping.pinger import Pinger
from worker.resealing import Resealing
from worker.resources import Resources
from worker.sampling import Sampler, Sampling
from worker.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Pings:
    """Ping tests on request, credentials that are tried out, pings on schedule."""

    pinger: Pinger
    trier: CredentialTrier
    scheduled: Probing


@dataclass(frozen=True, slots=True)
class Composition:
    """The parts of a worker, to be run."""

    owner: Owner
    pings: Pings
    upkeep: Upkeep
    beats: Heartbeats
    resealing: Resealing
    rotating: Rotating
    operational: OperationalEvents
    reconciler: Reconciler
    upgrades: UpgradeRounds
    drafts: Drafts
    erasing: Erasing
    sampler: Sampler
    held: HeldTypes
    archiving: Archiving | None
    heard: Heard

    @property
    def work(self) -> dict[str, Job]:
        """Every job of arq's by its name."""
        return {DRAIN: self.drain, PING: self.pings.pinger.run, CREDENTIALS: self.pings.trier.run}

    async def drain(self, partition: int, generation: int) -> None:
        """Take over a partition that was offered as a job; a worker that has its share leaves it to others."""
        if len(self.owner.partitions) >= self.upkeep.share and partition not in self.owner.partitions:
            raise NotNow
        with contextlib.suppress(StoreUnavailable):
            await self.owner.take({partition: generation})


@contextlib.asynccontextmanager
async def compose(resources: Resources) -> AsyncIterator[Composition]:
    """The parts, for as long as the context is open."""
    tallies = Tallies()
    held = HeldTypes(PausedTypes(resources.stores.calm), resources.clock)
    delivering = _delivering(resources, tallies, held)
    async with delivering as owner, _losses(resources).following(), _pinging(resources) as pings:
        beats = Heartbeats(resources.stores.calm)
        upkeep = _upkeep(resources, owner, beats)
        resealing = Resealing(resources.stores.redis, resources.sealer, resources.worker_id)
        yield Composition(
            owner=owner,
            pings=pings,
            upkeep=upkeep,
            beats=beats,
            resealing=resealing,
            rotating=_rotating(resources),
            operational=resources.operational,
            reconciler=installing.reconciler(resources),
            upgrades=installing.upgrades(resources),
            drafts=installing.drafts(resources),
            erasing=installing.erasing(resources),
            sampler=_sampler(resources, owner, tallies),
            held=held,
            archiving=_archiving(resources, owner),
            heard=resources.stores.cache.heard,
        )


@contextlib.asynccontextmanager
async def _delivering(resources: Resources, tallies: Tallies, held: HeldTypes) -> AsyncIterator[Owner]:
    settings, stores, clock = resources.settings, resources.stores, resources.clock
    owner: Owner  # is made of what fetches tokens, and counts what it fetches
    tokens = token_source(
        resources.sessions,
        TokenStore(stores.redis, resources.sealer, pepper=_pepper(settings)),
        clock,
        on_fetch=lambda good: owner.count("tokens:ok" if good else "tokens:failed"),
    )
    traces = AttemptTraces(resources.tracing) if resources.tracing else None
    sender = _sender(resources, tokens, traces)
    lookup = Lookup(stores.cache, resources.targets(), resources.operations, resources.callbacks())
    deliverer = Deliverer(lookup, sender, clock, resources.worker_id, _accounts(resources), held)
    lanes = LanePolicy(settings.lane_concurrency, settings.circuit_failures, settings.circuit_open)
    concurrency, lent = slots(settings.concurrency, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    places = Places(concurrency, lent, _tenant_of(stores.cache))
    runner = Runner(stores.partitions, stores.queue, deliverer, lanes, clock, places, resources.notify, tallies)
    owner = _kind_of_owner(traces)(
        resources.worker_id,
        stores.partitions,
        runner,
        clock,
        concurrency=concurrency,
        places=places,
        lease_s=settings.lease,
    )
    if traces and isinstance(owner, TracedOwner):
        owner.traced_by(traces)
    with contextlib.suppress(StoreUnavailable):
        await held.once()
    try:
        yield owner
    finally:
        await tokens.close()


def _kind_of_owner(traces: AttemptTraces | None) -> type[Owner]:
    return TracedOwner if traces else Owner


def _sender(resources: Resources, tokens: TokenSource, traces: AttemptTraces | None) -> Sender:
    outside = resources.sessions, tokens, resources.identity, resources.clock, installing.installed_events(resources)
    return TracedSender(*outside).traced_by(traces) if traces else Sender(*outside)


def _accounts(resources: Resources) -> Accounts:
    redis, clock, sealer = resources.stores.redis, resources.clock, resources.sealer
    connectors, templates = ConnectorStore(redis), TemplateStore(redis)
    lookup = AccountLookup(connectors, sealer)
    resources.stores.cache.observe(lookup)
    tokens = TokenStore(redis, sealer, pepper=_pepper(resources.settings))
    grants = GrantClient(resources.sessions, clock)
    renewer = Renewer(connectors, templates, tokens, grants, Renewals(redis, sealer), sealer, clock)
    return Accounts(lookup, installing.reauthentication(resources), renewer, clock)


def _pepper(settings: Settings) -> bytes:
    """A secret of ours in the names of cached tokens, so that they give nothing away about credentials."""
    return hashlib.blake2b(settings.secret_keys[-1].get_secret_value().encode(), person=b"token-names").digest()


def _tenant_of(cache: DefinitionCache) -> TenantOf:
    def tenant_of(integration_id: str) -> str | None:
        integration = cache.peek_integration(integration_id)
        return integration.tenant if integration else None

    return tenant_of


@contextlib.asynccontextmanager
async def _pinging(resources: Resources) -> AsyncIterator[Pings]:
    settings, stores, sessions, clock = resources.settings, resources.stores, resources.sessions, resources.clock
    connections = ConnectionCheck(
        resources.egress.rule, connect_timeout_s=settings.connect_timeout, egress=resources.egress
    )
    errands = Errands(stores.definitions)
    try:
        yield Pings(
            Pinger(stores.definitions, resources.targets(), sessions, connections, resources.identity, clock, errands),
            CredentialTrier(
                errands,
                Trials(stores.redis, stores.jobs),
                resources.sealer,
                sessions,
                clock,
                _account_trier(resources),
                CodeRedeemer(TemplateStore(stores.redis), GrantClient(sessions, clock), resources.sealer),
            ),
            Probing(stores.definitions, QueuedPings(stores.jobs), settings.request_timeout),
        )
    finally:
        await connections.close()


def _account_trier(resources: Resources) -> AccountTrier:
    stores, targets = resources.stores, resources.targets()
    outside = resources.sessions, resources.sealer, resources.identity, resources.clock
    return AccountTrier(stores.definitions, targets, *outside)


def _losses(resources: Resources) -> LossWatch:
    settings, calm = resources.settings, resources.stores.calm
    return LossWatch(calm, "worker", partitions=settings.partitions, retention_ms=settings.retention_ms)


def _upkeep(resources: Resources, owner: Owner, beats: Heartbeats) -> Upkeep:
    stores, clock = resources.stores, resources.clock
    conclusions = Conclusions(stores.queue, stores.cache, clock.now_ms)
    server_time = ServerTime(stores.redis, clock)
    key_check = KeyCheck(stores.calm, resources.sealer)
    lookout = _lookout(resources, beats, server_time)
    return Upkeep(owner, stores.partitions, stores.jobs, lookout, conclusions, clock, server_time, key_check)


def _lookout(resources: Resources, beats: Heartbeats, server_time: ServerTime) -> Lookout:
    stores, leases = resources.stores, Leases(resources.stores.redis, resources.settings.partitions)
    return Lookout(resources.worker_id, beats, Listeners(stores.listener), leases, server_time)


def _sampler(resources: Resources, owner: Owner, tallies: Tallies) -> Sampler:
    redis, settings = resources.stores.redis, resources.settings
    history = Sampling(
        SampledCounters(resources.stores.calm), FleetHistory(redis), LaneHistory(redis), ExemplarStore(redis)
    )
    lanes_bytes = settings.history_bytes // settings.partitions
    return Sampler(history, tallies, resources.clock.now_ms, lambda: owner.partitions, lanes_bytes)


def _archiving(resources: Resources, owner: Owner) -> Archiving | None:
    settings, archive = resources.settings, resources.stores.archive
    if archive is None:
        return None
    writer = ArchiveWriter(archive, partitions=settings.partitions, after_ms=settings.archive_after_ms)
    return Archiving(writer, lambda: owner.partitions, resources.clock.steady, resources.worker_id)


def _rotating(resources: Resources) -> Rotating:
    settings, definitions = resources.settings, resources.stores.definitions
    audit = AuditLog(resources.stores.redis, settings.audit_ms, settings.audit_entries)
    return Rotating(definitions, definitions.rotations_due, resources.sealer, audit, resources.notify or to_nobody)
