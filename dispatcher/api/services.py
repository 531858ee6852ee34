"""What the API's handlers may use; put together once by ``dispatcher.api.app``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from dispatcher.clock import Clock
    from dispatcher.flow.accept import Acceptor
    from dispatcher.settings import Settings
    from dispatcher.store.clients import ClientStore
    from dispatcher.store.definition_cache import DefinitionCache
    from dispatcher.store.definitions import Definitions
    from dispatcher.store.queue import QueueStore
    from dispatcher.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    clock: Clock
    queue: QueueStore
    acceptor: Acceptor
    definitions: Definitions
    cache: DefinitionCache
    clients: ClientStore
    sealer: Sealer


SERVICES = web.AppKey("services", Services)
