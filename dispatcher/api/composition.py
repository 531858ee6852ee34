"""Puts services and the authorization server together from settings. Runs nothing and holds no logic."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.api.deployment import Deployment
from dispatcher.api.installing import Installing, build_installing
from dispatcher.api.oauth.directory import Directory
from dispatcher.api.oauth.gate import Gate
from dispatcher.api.oauth.keys import load_keys
from dispatcher.api.oauth.lockout import Lockout
from dispatcher.api.oauth.narrowing import Accounts
from dispatcher.api.oauth.routes import OAuthServer
from dispatcher.api.oauth.tokens import AccessTokenMaker, TokenReader
from dispatcher.api.services import Services
from dispatcher.clock import Clock
from dispatcher.flow.connectors.reauthentication import Reauthentication
from dispatcher.flow.events.making.accept import Acceptor
from dispatcher.flow.events.making.emit import Emitter
from dispatcher.flow.events.making.operational_events import OperationalEvents
from dispatcher.flow.events.reading.figures import PastFigures
from dispatcher.flow.installations.colleagues import Colleagues
from dispatcher.flow.installations.customers import CustomerInstaller
from dispatcher.flow.installations.installer import Installer
from dispatcher.flow.installations.making.creation import Creation
from dispatcher.flow.installations.making.ordering_elsewhere import OrdersElsewhere
from dispatcher.flow.installations.making.partner_connectors import PartnerConnectors
from dispatcher.flow.installations.making.setting_seals import SettingSeals
from dispatcher.flow.installations.states.effects import Effects
from dispatcher.flow.installations.states.following import Follower
from dispatcher.flow.installations.states.parties import Parties
from dispatcher.flow.installations.states.pending import Pending
from dispatcher.flow.installations.states.steps import StepCalls
from dispatcher.flow.installations.states.transitions import Transitions
from dispatcher.flow.installations.updates import Updates
from dispatcher.flow.installations.upkeep.upgrading import Upgrades
from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.settings import Settings
from dispatcher.store.access.clients import ClientStore
from dispatcher.store.access.rate_limits import RateLimits
from dispatcher.store.archive.archive import archive_in
from dispatcher.store.audit_log.log import AuditLog
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.history.fleet import FleetHistory
from dispatcher.store.history.lanes import LaneHistory
from dispatcher.store.installations.installed.bearers import Bearers
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.installations.installed.outbox import Outbox
from dispatcher.store.installations.installed.remains import Remains
from dispatcher.store.installations.parties.accounts import AccountStore
from dispatcher.store.installations.parties.connectors import ConnectorStore
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.reseal.key_check import KeyCheck
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.store.secrets.signing_keys import RevokedTokens, SigningKeyStore


async def oauth_server(settings: Settings, services: Services, redis: StoreClient) -> OAuthServer:
    """With the keys that all API processes share; makes them when there are none."""
    issuer = settings.base_url
    await KeyCheck(redis, services.sealer).announce()
    keys = await load_keys(SigningKeyStore(redis), services.sealer)
    reader = TokenReader(issuer, keys)
    directory = Directory(services.clients, Definitions(redis))
    revoked = RevokedTokens(redis)
    return OAuthServer(
        issuer=issuer,
        keys=keys,
        maker=AccessTokenMaker(issuer, keys, services.clock),
        reader=reader,
        directory=directory,
        revoked=revoked,
        gate=Gate(reader, directory, revoked, services.clock, settings.client_rate, Bearers(redis)),
        lockout=Lockout(RateLimits(redis), settings.auth_failures),
        clock=services.clock,
        accounts=Accounts(AccountStore(redis), services.marketplaces),
    )


def composed(settings: Settings, redis: StoreClient, reading: StoreClient, clock: Clock) -> tuple[Services, Installing]:
    """Everything that handlers may use. ``reading``: for what is read at a caller's wish; accepting has the other."""
    deployment, definitions = deployment_of(settings), Definitions(reading)
    cache = DefinitionCache(Definitions(redis), redis)
    definitions.listen(cache.invalidate)
    sealer = Sealer([key.get_secret_value() for key in settings.secret_keys])
    queue = _queue(settings, redis, clock)
    effects = Effects(Outbox(redis), queue)
    installations = InstallationStore(redis, cache.revision)
    reauthentication = Reauthentication(
        redis,
        installations,
        MarketplaceStore(redis),
        effects,
        queue.partitions,
        clock.now_ms,
    )
    installing = build_installing(deployment, redis, cache, sealer, settings.password_failures, reauthentication)
    installer = _installer(redis, queue, definitions, cache, sealer, installing, clock.now_ms)
    audit = AuditLog(redis, settings.audit_ms, settings.audit_entries, logged=True)
    services = Services(
        deployment=deployment,
        clock=clock,
        queue=queue,
        reads=_queue(settings, reading, clock),
        emitter=Emitter(cache, queue.partition_of, clock.now_ms),
        acceptor=Acceptor(queue, OrdersElsewhere.over(redis, queue, cache, clock.now_ms)),
        definitions=definitions,
        cache=cache,
        clients=ClientStore(redis),
        sealer=sealer,
        editor=Editor(sealer, deployment.address_problem),
        operational=OperationalEvents(queue, clock.now_ms) if settings.operations_url else None,
        audit=audit,
        marketplaces=MarketplaceStore(redis),
        installer=installer,
        customers=CustomerInstaller(installer, cache, queue, audit),
        colleagues=Colleagues(installing.accounts, installer.transitions, audit),
        updates=Updates(installations, cache, installer.transitions),
        past=PastFigures(FleetHistory(redis), LaneHistory(redis), definitions, cache, queue.partitions),
    )
    return services, installing


def _queue(settings: Settings, redis: StoreClient, clock: Clock) -> QueueStore:
    return QueueStore(
        redis,
        partitions=settings.partitions,
        retention_ms=settings.retention_ms,
        min_replicas=settings.min_replicas,
        archive=archive_in(settings.archive_place, redis, clock.now_ms),
        pack=settings.pack_contents,
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
    parties = Parties(installing.accounts, MarketplaceStore(redis), Remains(redis))
    partners = PartnerConnectors(ConnectorStore(redis), TemplateStore(redis))
    store, seals = InstallationStore(redis, cache.revision), SettingSeals(sealer)
    effects = Effects(Outbox(redis), queue)
    transitions = Transitions(store, effects, parties, queue.partitions, now_ms)
    creation = Creation(transitions, cache, queue, parties, partners, seals)
    upgrades = Upgrades(cache, transitions, partners)
    pending = Pending(store, effects, queue, transitions)
    calls, follower = StepCalls(transitions, pending), Follower(pending)
    return Installer(store, definitions, cache, transitions, creation, calls, follower, upgrades)


def deployment_of(settings: Settings) -> Deployment:
    return Deployment(
        base_url=settings.base_url,
        port=settings.port,
        partner=settings.partner,
        trusted_proxies=settings.trusted_proxies,
        retry_schedule_s=settings.retry_schedule,
        request_timeout_s=settings.request_timeout,
        client_rate=settings.client_rate,
        session_idle_s=settings.session_idle,
        session_lifetime_s=settings.session_lifetime,
        require_https=settings.require_https,
        allow_networks=settings.allow_networks,
        deny_networks=settings.deny_networks,
        ports=settings.ports,
        has_proxy=settings.proxy_url is not None,
    )
