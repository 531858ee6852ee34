"""Every sealed value of an integration and of its revisions, with its context. Opens and seals nothing itself.

A field that is to be sealed is named here as well, and a test finds one that is not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from redis.asyncio import Redis

from dispatcher.model.integration import Integration, OutboundCredentials, Revision, Transport
from dispatcher.store.definitions.pins import kept_numbers
from dispatcher.store.definitions.records import (
    BrokenDefinition,
    read_integration,
    read_revision,
    write_integration,
)
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.places import Change, SealedRecord, substituted

CREDENTIAL_FIELDS: dict[str, Callable[[str], str]] = {
    "client_secret": sealed_fields.client_secret,
    "private_key": sealed_fields.private_key,
}
"""Sealed fields of ``OutboundCredentials``: the context of each, by the integration's id."""

TRANSPORT_FIELDS: dict[str, Callable[[str], str]] = {
    "private_key": sealed_fields.transport_key,
    "proxy_password": sealed_fields.proxy_password,
}
"""The same of ``Transport``."""

REVISIONS_AT_ONCE = 50

T = TypeVar("T", OutboundCredentials, Transport)


def in_integration(integration: Integration, change: Change) -> Integration:
    """The integration with every sealed value replaced by what ``change`` makes of it."""
    context = sealed_fields.signing_secret(integration.id)
    return replace(
        integration,
        working=in_revision(integration.id, integration.working, change),
        signing_secrets=tuple(
            replace(one, secret=_changed(one.secret, context, change)) for one in integration.signing_secrets
        ),
    )


def in_revision(integration_id: str, revision: Revision, change: Change) -> Revision:
    """As ``in_integration``, for one version."""
    headers = tuple(
        replace(one, value=_changed(one.value, sealed_fields.header_value(integration_id, one.name), change))
        if one.secret
        else one
        for one in revision.headers
    )
    return replace(
        revision,
        credentials=_in_fields(integration_id, revision.credentials, CREDENTIAL_FIELDS, change),
        transport=_in_fields(integration_id, revision.transport, TRANSPORT_FIELDS, change),
        headers=headers,
    )


@dataclass(frozen=True, slots=True)
class SealedDefinitions:
    """Integrations with their published revisions, as a place that is sealed again."""

    redis: Redis
    kind: str = "integrations"

    async def owners(self) -> list[str]:
        with guarded():
            return [one.decode() for one in await self.redis.zrange(keys.DEF_INTEGRATIONS, 0, -1)]

    async def records(self, owners: Sequence[str]) -> AsyncIterator[SealedRecord]:
        with guarded():
            found = await self.redis.mget([keys.definition(one) for one in owners])
        for integration_id, stored in zip(owners, found, strict=True):
            if stored is None:
                continue
            key = keys.definition(integration_id)
            yield SealedRecord(integration_id, key, stored, _renewed_integration, announced=integration_id)
            async for revision in self._revisions(integration_id, stored):
                yield revision

    async def _revisions(self, integration_id: str, stored: bytes) -> AsyncIterator[SealedRecord]:
        def renew(record: bytes, change: Change) -> bytes:
            return substituted(record, lambda noted: in_revision(integration_id, read_revision(record), noted), change)

        try:
            newest = read_integration(stored).published_revision or 0
        except BrokenDefinition:
            return  # named when the record itself was gone through
        numbers = [*range(1, newest + 1), *await kept_numbers(self.redis, integration_id)]
        for first in range(0, len(numbers), REVISIONS_AT_ONCE):
            names = [keys.revision(integration_id, one) for one in numbers[first : first + REVISIONS_AT_ONCE]]
            with guarded():
                records = await self.redis.mget(names)
            for name, record in zip(names, records, strict=True):
                if record is not None:
                    yield SealedRecord(integration_id, name, record, renew, announced=integration_id)


def _renewed_integration(record: bytes, change: Change) -> bytes:
    """Its ``modified_ms`` moves on, so that an edit begun before brings no old value back."""
    renewed = substituted(record, lambda noted: in_integration(read_integration(record), noted), change)
    if renewed == record:
        return record
    after = read_integration(renewed)
    return write_integration(replace(after, modified_ms=after.modified_ms + 1), renewed)


def _changed(sealed: str, context: str, change: Change) -> str:
    return change(sealed, context) if sealed else ""


def _in_fields(integration_id: str, holder: T, fields: dict[str, Callable[[str], str]], change: Change) -> T:
    changed: dict[str, Any] = {
        name: _changed(getattr(holder, name), context(integration_id), change) for name, context in fields.items()
    }
    return replace(holder, **changed)
