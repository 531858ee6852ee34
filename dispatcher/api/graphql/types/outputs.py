"""The parts of what queries return. Secrets never leave: whatever is secret reads ``******``."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from dispatcher.api.graphql.types.scalars import EpochMs
from dispatcher.clock import iso_ms
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import SigningAlgorithm
from dispatcher.policy.pace.retry import PlannedAttempt as Planned


class CredentialStates(StrEnum):
    AUTHORIZED = "AUTHORIZED"
    FAILING = "FAILING"


strawberry.enum(CredentialStates, name="ProductIntegrationCredentialStatus")


@strawberry.type(name="ProductIntegrationCredentialState")
class CredentialState:
    """State of the tokens for deliveries, as of the last attempt that needed one."""

    state: CredentialStates
    since: str | None = strawberry.field(description="Since when it is FAILING.")

    @classmethod
    def of(cls, failing_since_ms: int | None) -> CredentialState:
        if failing_since_ms is None:
            return cls(state=CredentialStates.AUTHORIZED, since=None)
        return cls(state=CredentialStates.FAILING, since=iso_ms(failing_since_ms))


@strawberry.type
class SuspendedUrl:
    """A URL that answered 410 Gone: nothing is sent there until it is enabled."""

    event_type: EventType | None = strawberry.field(description="Null: no type of this version goes there any more.")
    url: str
    since: str


@strawberry.type
class PlannedAttempt:
    """An attempt of an event whose attempts all fail at once, in seconds after the first one."""

    n: int
    at_seconds: float
    earliest_seconds: float
    latest_seconds: float

    @classmethod
    def of(cls, planned: Planned) -> PlannedAttempt:
        return cls(
            n=planned.n,
            at_seconds=planned.at_s,
            earliest_seconds=planned.earliest_s,
            latest_seconds=planned.latest_s,
        )


@strawberry.type(name="ProductIntegrationInboundClient")
class InboundClient:
    client_id: str
    client_secret: str = strawberry.field(description="In clear only in the answer that generates it.")
    created_on: EpochMs


@strawberry.type(name="ProductIntegrationSigningSecret")
class SigningSecret:
    secret: str
    created_on: str
    not_after: str | None = strawberry.field(description="When it stops signing; null = the current one.")


@strawberry.type(name="ProductIntegrationSigningKey")
class SigningKey:
    """A key that signs at this moment. ``kid`` and ``publicKey`` are null for HMAC, whose key is a secret."""

    kid: str | None
    algorithm: SigningAlgorithm
    public_key: str | None
    created_on: str
    not_after: str | None = strawberry.field(description="When it stops signing; null = the current one.")


@strawberry.type(name="ProductIntegrationSigningKeyRotation")
class SigningKeyRotation:
    """The schedule by which ED25519 keys are rotated by themselves."""

    every_days: int
    overlap_seconds: float
    next_rotation_on: str


@strawberry.type
class LinkedProduct:
    id: strawberry.ID
    version: str = "WORKING"
