"""A running worker over a real store, with integrations put straight into it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.attempt import Attempt
from dispatcher.model.event_type import URL_FIELDS, EventType
from dispatcher.model.integration import (
    CredentialType,
    Integration,
    OutboundCredentials,
    RetryPolicy,
    Revision,
    SigningSecret,
)
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import TERMINAL, Status
from dispatcher.settings import Settings
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.partition import PartitionStore
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.sealing import Sealer, new_key
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.events import event_of
from tests.hosts import ProductHost
from tests.signing import key_pair
from tests.waiting import until
from worker.main import run

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FAST = (0.05, 0.05, 0.05)


@dataclass
class Shop:
    """A marketplace in small: define, emit, work, look."""

    redis: Redis
    redis_url: str
    host: ProductHost
    settings: Settings
    sealer: Sealer
    workers: list[tuple[asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.definitions = Definitions(self.redis)
        self.queue = QueueStore(self.redis, partitions=self.settings.partitions, retention_ms=3_600_000)
        self.store = PartitionStore(
            self.redis, partitions=self.settings.partitions, retention_ms=3_600_000, lease_ms=2000, lane_cap=32
        )

    async def integration(
        self,
        urls: dict[str, str] | None = None,
        *,
        oauth2: bool = False,
        schedule_s: tuple[float, ...] = FAST,
        vendor_id: str | None = None,
        **more: Any,
    ) -> Integration:
        """Published once, with every URL but ``eventStatusUrl`` on the host unless told otherwise."""
        identity = new_uuid()
        if urls is None:
            urls = {name: self.host.url() for name in URL_FIELDS if name != "eventStatusUrl"}
        credentials = OutboundCredentials()
        if oauth2:
            secret = self.sealer.seal("S3cre1!", sealed_fields.client_secret(identity))
            credentials = OutboundCredentials(CredentialType.OAUTH2, "123456", secret, self.host.token_url)
        working = Revision(urls=urls, credentials=credentials, retry=RetryPolicy(schedule_s), **more)
        sealed = self.sealer.seal(SECRET, sealed_fields.signing_secret(identity))
        made = await self.definitions.create(
            Integration(
                identity,
                0,
                new_hex24(),
                "Test",
                1,
                1,
                working=working,
                signing_secrets=(SigningSecret(sealed, 1),),
                vendor_id=vendor_id,
            )
        )
        return await publish(self.definitions, made.id, "test", 2)

    async def emit(
        self,
        integration: Integration,
        account: str | None = "A",
        kind: EventType = EventType.SUBSCRIPTION_CHANGE,
        **more: Any,
    ) -> str:
        event = event_of(integration.id, self.settings.partitions, account, kind, **more)
        await self.queue.accept([event])
        return event.id

    async def built_api(self, **changed: Any) -> web.Application:
        """One that has not to make its key pair first."""
        await SigningKeyStore(self.redis).offer(self.sealer.seal(key_pair(), sealed_fields.ACCESS_TOKEN_KEY))
        return await build_app(self.settings.model_copy(update=changed), self.redis)

    async def work(self, **changed: Any) -> asyncio.Event:
        """Start a worker; setting the answered event stops it."""
        stop = asyncio.Event()
        settings = self.settings.model_copy(update=changed)
        self.workers.append((stop, asyncio.create_task(run(settings, self.redis_url, stop))))
        return stop

    async def stop_all(self) -> None:
        for stop, _ in self.workers:
            stop.set()
        await asyncio.gather(*(task for _, task in self.workers))
        self.workers.clear()

    async def until(self, event_id: str, reached: Callable[[StoredEvent], bool], timeout_s: float = 15) -> StoredEvent:
        async def found() -> StoredEvent | None:
            stored = await self.queue.get(event_id)
            assert stored is not None
            return stored if reached(stored) else None

        return await until(found, timeout_s)

    async def ended(self, event_id: str, timeout_s: float = 15) -> StoredEvent:
        return await self.until(event_id, lambda stored: stored.state.status in TERMINAL, timeout_s)

    async def status(self, event_id: str, status: Status) -> StoredEvent:
        return await self.until(event_id, lambda stored: stored.state.status is status)

    async def attempts(self, event_ids: list[str]) -> list[Attempt]:
        return [attempt for event_id in event_ids for attempt in await self.queue.attempts(event_id) or []]

    async def assert_well(self) -> None:
        report = await self.store.recount()
        assert report.well, report


@pytest.fixture(autouse=True)
def _patient(patient: None) -> None:
    """In each of these tests."""


@pytest.fixture
async def shop(redis: Redis, redis_url: str, product_host: ProductHost) -> AsyncIterator[Shop]:
    key = new_key()
    settings = Settings.model_validate(
        {
            "secret_keys": (key,),
            "allow_networks": ("127.0.0.0/8",),
            "partitions": 4,
            "lease": 2.0,
            "drain_timeout": 5.0,
            "request_timeout": 2.0,
            "public_base_url": "http://dispatcher.test",
        }
    )
    made = Shop(redis, redis_url, product_host, settings, Sealer([key]))
    yield made
    with contextlib.suppress(asyncio.CancelledError):
        await made.stop_all()
