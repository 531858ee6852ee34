"""Authorities, hosts that demand certificates, and integrations that show theirs. Holds no test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.model.attempt import Attempt
from dispatcher.model.integration import Integration, OutboundCredentials, Transport
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.secrets import fields as sealed_fields
from tests.events import event_of
from tests.tls_parts import Identity, TlsHost, issue, server_context, strict_host, tls_host
from tests.worker.conftest import Shop

COMPANY = issue("Company CA")
CLIENTS = issue("Client CA")
MIDDLE = issue("Client issuer", CLIENTS)
SELF_SIGNED = issue("myself")
NOBODY = OutboundCredentials()


def showing(identity: Identity | None, trusted: Identity | None = COMPANY) -> Transport:
    return Transport(
        client_certificate=identity.pem if identity else "",
        private_key=identity.key_pem if identity else "",
        ca_certificates=trusted.pem if trusted else "",
    )


def sealed(shop: Shop, integration_id: str, transport: Transport) -> Transport:
    contexts = {"private_key": sealed_fields.transport_key, "proxy_password": sealed_fields.proxy_password}
    values = {
        name: shop.sealer.seal(text, context(integration_id))
        for name, context in contexts.items()
        if (text := getattr(transport, name))
    }
    return replace(transport, **values)


async def integration_over(
    shop: Shop, url: str, transport: Transport, credentials: OutboundCredentials = NOBODY
) -> Integration:
    """Published with ``transport``, whose secrets come in clear."""
    made = await shop.integration({"upgradeUrl": url}, schedule_s=(0.05,))
    return await changed(shop, made, transport, credentials)


async def changed(
    shop: Shop, integration: Integration, transport: Transport, credentials: OutboundCredentials
) -> Integration:
    own = sealed(shop, integration.id, transport)
    await shop.definitions.edit(
        integration.id, lambda one: replace(one, working=replace(one.working, transport=own, credentials=credentials))
    )
    return await publish(shop.definitions, integration.id, "test", 3)


async def emit(shop: Shop, integration: Integration, account: str = "A") -> str:
    """An event of the newest published revision."""
    number = integration.published_revision or 0
    event = event_of(integration.id, shop.queue.partitions, account, revision=number)
    await shop.queue.accept([event])
    return event.id


async def outcome(shop: Shop, integration: Integration) -> tuple[StoredEvent, Attempt]:
    event_id = await emit(shop, integration)
    ended = await shop.ended(event_id)
    return ended, (await shop.attempts([event_id]))[-1]


async def first_attempt(shop: Shop, integration: Integration) -> Attempt:
    """Without waiting for the next: a token failure is remembered for some seconds."""
    event_id = await emit(shop, integration)
    await shop.status(event_id, Status.RETRYING)
    return (await shop.attempts([event_id]))[0]


@pytest.fixture
async def demanding(tmp_path: Path) -> AsyncIterator[TlsHost]:
    """A host of the private authority that only lets in clients of the client authority."""
    async with tls_host(server_context(tmp_path, issue("host", COMPANY), CLIENTS)) as host:
        yield host


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[TlsHost]:
    """The same, and it tells by an alert whom it refuses."""
    async with strict_host(server_context(tmp_path, issue("host", COMPANY), CLIENTS)) as host:
        yield host
