"""Turns stored values into the parts of what queries return. Masks every secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dispatcher.api.graphql.types import outputs
from dispatcher.api.graphql.types.scalars import EpochMs
from dispatcher.clock import iso_ms
from dispatcher.flow.integrations.fields.kind import MASK
from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.model.integration import InboundClient, Integration, Revision, SigningRotation, SigningSecret
from dispatcher.policy.notification.signing import published_key
from dispatcher.policy.pace.suspended_urls import by_type


def shown(integration: Integration, revision: Revision) -> dict[str, Any]:
    """All fields of one version, by GraphQL's names."""
    document: dict[str, Any] = INTEGRATION.shown(replace(integration, working=revision))
    return document


def inbound_client(stored: InboundClient | None) -> outputs.InboundClient | None:
    if stored is None:
        return None
    return outputs.InboundClient(client_id=stored.client_id, client_secret=MASK, created_on=EpochMs(stored.created_ms))


def signing_secret(stored: SigningSecret) -> outputs.SigningSecret:
    return outputs.SigningSecret(
        secret=MASK, created_on=iso_ms(stored.created_ms), not_after=_moment(stored.not_after_ms)
    )


def signing_key(stored: SigningSecret) -> outputs.SigningKey:
    return outputs.SigningKey(
        kid=published_key(stored.public_key)["kid"] if stored.public_key else None,
        algorithm=stored.algorithm,
        public_key=stored.public_key,
        created_on=iso_ms(stored.created_ms),
        not_after=_moment(stored.not_after_ms),
    )


def signing_key_rotation(stored: SigningRotation | None) -> outputs.SigningKeyRotation | None:
    if stored is None:
        return None
    return outputs.SigningKeyRotation(
        every_days=stored.every_days, overlap_seconds=stored.overlap_s, next_rotation_on=iso_ms(stored.next_ms)
    )


def suspended_urls(revision: Revision, since_ms: Mapping[str, int]) -> list[outputs.SuspendedUrl]:
    """One for each event type that goes to a suspended URL, longest suspended first."""
    return [
        outputs.SuspendedUrl(event_type=one.event_type, url=one.url, since=iso_ms(one.since_ms))
        for one in by_type(revision, since_ms, published=None)
    ]


def _moment(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else iso_ms(epoch_ms)
