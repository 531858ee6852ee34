"""Puts together what a worker does for installations: reconciling, upgrades, erasing, drafts. Runs none of it."""

from __future__ import annotations

from dispatcher.flow.connectors.erasing import ConnectorRemoval, Erasing
from dispatcher.flow.connectors.reauthentication import Reauthentication
from dispatcher.flow.installations.making.partner_connectors import PartnerConnectors
from dispatcher.flow.installations.making.setting_seals import SettingSeals
from dispatcher.flow.installations.states.effects import Effects
from dispatcher.flow.installations.states.parties import AccountsAndMarketplaces
from dispatcher.flow.installations.states.pending import Pending
from dispatcher.flow.installations.states.transitions import Transitions
from dispatcher.flow.installations.upkeep.drafts import Drafts
from dispatcher.flow.installations.upkeep.forgetting import Forgetting
from dispatcher.flow.installations.upkeep.reconcile import HELD_MS, Reconciler
from dispatcher.flow.installations.upkeep.upgrade_rounds import UpgradeRounds
from dispatcher.flow.installations.upkeep.upgrading import Upgrades
from dispatcher.store.definitions.schedule.due import DueStore
from dispatcher.store.installations.installed.bearers import Bearers
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.installations.installed.outbox import Outbox
from dispatcher.store.installations.installed.upgrade_places import UpgradePlaces
from dispatcher.store.installations.parties.accounts import AccountStore
from dispatcher.store.installations.parties.connectors import ConnectorStore
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.keys import installations as keys
from worker.delivery.accounts.installed import InstalledEvents
from worker.resources import Resources


def reauthentication(resources: Resources) -> Reauthentication:
    redis, queue = resources.stores.redis, resources.stores.queue
    stores = InstallationStore(redis, resources.stores.cache.revision), MarketplaceStore(redis)
    effects = Effects(Outbox(redis), queue)
    return Reauthentication(redis, *stores, effects, queue.partitions, resources.clock.now_ms)


def installed_events(resources: Resources) -> InstalledEvents:
    redis = resources.stores.redis
    return InstalledEvents(
        Bearers(redis), InstallationStore(redis, resources.stores.cache.revision), SettingSeals(resources.sealer)
    )


def reconciler(resources: Resources) -> Reconciler:
    redis, queue, now_ms = resources.stores.redis, resources.stores.queue, resources.clock.now_ms
    glance = resources.stores.glance
    outbox, store = Outbox(redis, glance), InstallationStore(redis, resources.stores.cache.revision)
    effects = Effects(outbox, queue)
    transitions = _transitions(resources, store)
    pending = Pending(store, effects, queue, transitions)
    return Reconciler(outbox, effects, pending, DueStore(redis, keys.PENDING, HELD_MS, glance), now_ms)


def upgrades(resources: Resources) -> UpgradeRounds:
    redis, cache, now_ms = resources.stores.redis, resources.stores.cache, resources.clock.now_ms
    store, places = InstallationStore(redis, cache.revision), UpgradePlaces(redis)
    due, freed = (DueStore(redis, key, HELD_MS, resources.stores.glance) for key in (keys.UPGRADES, keys.FREED))
    partners = PartnerConnectors(ConnectorStore(redis), TemplateStore(redis))
    upgrades = Upgrades(cache, _transitions(resources, store), partners)
    return UpgradeRounds(due, freed, places, resources.stores.definitions, store, upgrades, now_ms)


def erasing(resources: Resources) -> Erasing:
    redis, queue = resources.stores.redis, resources.stores.queue
    installations = InstallationStore(redis, resources.stores.cache.revision)
    removal = ConnectorRemoval(ConnectorStore(redis), installations, reauthentication(resources))
    due = DueStore(redis, keys.ERASURES, HELD_MS, resources.stores.glance)
    forgetting = Forgetting(queue, installations)
    return Erasing(due, Effects(Outbox(redis), queue), queue, removal, forgetting, resources.clock.now_ms)


def drafts(resources: Resources) -> Drafts:
    store = InstallationStore(resources.stores.redis, resources.stores.cache.revision)
    return Drafts(store, _transitions(resources, store), resources.settings.draft_days, resources.clock.now_ms)


def _transitions(resources: Resources, store: InstallationStore) -> Transitions:
    redis, queue = resources.stores.redis, resources.stores.queue
    surroundings = AccountsAndMarketplaces(AccountStore(redis), MarketplaceStore(redis))
    return Transitions(store, Effects(Outbox(redis), queue), surroundings, queue.partitions, resources.clock.now_ms)
