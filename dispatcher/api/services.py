"""Services of the API's handlers, put together once by ``dispatcher.api.composition``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from dispatcher.telemetry.tracing import Tracing

if TYPE_CHECKING:
    from dispatcher.api.deployment import Deployment
    from dispatcher.clock import Clock
    from dispatcher.flow.events.making.accept import Acceptor
    from dispatcher.flow.events.making.emit import Emitter
    from dispatcher.flow.events.making.operational_events import OperationalEvents
    from dispatcher.flow.events.reading.figures import PastFigures
    from dispatcher.flow.installations.colleagues import Colleagues
    from dispatcher.flow.installations.customers import CustomerInstaller
    from dispatcher.flow.installations.installer import Installer
    from dispatcher.flow.installations.updates import Updates
    from dispatcher.flow.integrations.editing.change import Editor
    from dispatcher.flow.pings.request import PingStarter
    from dispatcher.model.operational import OperationalEvent
    from dispatcher.store.access.clients import ClientStore
    from dispatcher.store.audit_log.log import AuditLog
    from dispatcher.store.definitions.cache.definitions import DefinitionCache
    from dispatcher.store.definitions.editing import Definitions
    from dispatcher.store.definitions.pings.trials import Trials
    from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
    from dispatcher.store.queue.events import QueueStore
    from dispatcher.store.secrets.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Services:
    deployment: Deployment
    clock: Clock
    queue: QueueStore
    reads: QueueStore
    """The same queue, over connections of its own: however much is read, accepting and concluding have theirs."""
    emitter: Emitter
    acceptor: Acceptor
    definitions: Definitions
    cache: DefinitionCache
    clients: ClientStore
    sealer: Sealer
    editor: Editor
    audit: AuditLog
    marketplaces: MarketplaceStore
    installer: Installer
    customers: CustomerInstaller
    colleagues: Colleagues
    updates: Updates
    past: PastFigures
    operational: OperationalEvents | None = None
    """None where no operator listens."""

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def notify(self, event: OperationalEvent) -> None:
        """Notify operators, where they listen."""
        if self.operational is not None:
            self.operational.notify(event)


SERVICES = web.AppKey("services", Services)
EFFECTIVE_SETTINGS = web.AppKey("effective_settings", list[dict[str, object]])
"""Each setting in words; no secret."""
TRACING = web.AppKey("tracing", Tracing)
"""Present where spans are sent somewhere."""
CREDENTIAL_TRIALS: web.AppKey[Trials] = web.AppKey("credential_trials")
"""Has workers try credentials out."""
PING_STARTER: web.AppKey[PingStarter] = web.AppKey("ping_starter")
"""Has workers run ping tests."""
