"""Mutations about credentials: the product host's own, and what signs its notifications."""

from __future__ import annotations

import strawberry

from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.types.outputs import InboundClient
from dispatcher.api.graphql.types.payloads import IntegrationPayload, Payload, answered, working
from dispatcher.api.graphql.types.scalars import EpochMs
from dispatcher.errors import Refused
from dispatcher.flow.integrations.credentials.inbound_client import generate_inbound_client
from dispatcher.flow.integrations.credentials.rotate_secret import DEFAULT_OVERLAP_S, rotate_secret
from dispatcher.flow.integrations.credentials.rotation_schedule import schedule_rotation
from dispatcher.model.integration import SigningAlgorithm
from dispatcher.policy.client_rights import inbound_excess


@strawberry.input
class GenerateProductIntegrationInboundClientInput:
    id: strawberry.ID


@strawberry.input
class RotateProductIntegrationSigningSecretInput:
    id: strawberry.ID
    overlap_seconds: float | None = DEFAULT_OVERLAP_S
    algorithm: SigningAlgorithm = SigningAlgorithm.HMAC
    only: bool = strawberry.field(
        default=False, description="Also end the keys of the other algorithm, after the same overlap."
    )


@strawberry.input
class ScheduleProductIntegrationSigningKeyRotationInput:
    id: strawberry.ID
    every_days: int | None = strawberry.field(description="1 to 366; null = never.")
    overlap_seconds: float = DEFAULT_OVERLAP_S
    algorithm: SigningAlgorithm = SigningAlgorithm.ED25519


@strawberry.type
class GenerateProductIntegrationInboundClientPayload(Payload):
    """The pair, wrapped and flat: both forms are in use."""

    product_integration_inbound_client: InboundClient | None = None
    client_id: str | None = None
    client_secret: str | None = None
    created_on: EpochMs | None = None


@strawberry.type
class RotateProductIntegrationSigningSecretPayload(IntegrationPayload):
    signing_secret: str | None = strawberry.field(
        default=None, description="Signs from now on, beside the old one. Shown only here: keep it. Null for ED25519."
    )
    public_key: str | None = strawberry.field(
        default=None, description="What verifies the signatures of an ED25519 key; also in the published key set."
    )


@strawberry.type
class ScheduleProductIntegrationSigningKeyRotationPayload(IntegrationPayload):
    pass


@strawberry.type
class CredentialMutations:
    @strawberry.mutation
    @answered(GenerateProductIntegrationInboundClientPayload)
    async def generate_product_integration_inbound_client(
        self, info: Info, input_: GenerateProductIntegrationInboundClientInput
    ) -> GenerateProductIntegrationInboundClientPayload:
        """Credentials with which the product host answers events; the pair before stops working."""
        context = info.context
        if lacking := inbound_excess(context.caller):
            raise Refused(lacking)
        pair = await generate_inbound_client(context.definitions, input_.id, context.now_ms)
        created_on = EpochMs(pair.created_ms)
        return GenerateProductIntegrationInboundClientPayload(
            product_integration_inbound_client=InboundClient(
                client_id=pair.client_id, client_secret=pair.client_secret, created_on=created_on
            ),
            client_id=pair.client_id,
            client_secret=pair.client_secret,
            created_on=created_on,
        )

    @strawberry.mutation
    @answered(RotateProductIntegrationSigningSecretPayload)
    async def rotate_product_integration_signing_secret(
        self, info: Info, input_: RotateProductIntegrationSigningSecretInput
    ) -> RotateProductIntegrationSigningSecretPayload:
        """Sign with a new secret or key, and for the overlap with the old one of that algorithm too."""
        context = info.context
        overlap_s = DEFAULT_OVERLAP_S if input_.overlap_seconds is None else input_.overlap_seconds
        rotated = await rotate_secret(
            context.definitions,
            context.services.sealer,
            input_.id,
            context.now_ms,
            overlap_s,
            input_.algorithm,
            only=input_.only,
        )
        return RotateProductIntegrationSigningSecretPayload(
            product_integration=working(rotated.integration),
            signing_secret=rotated.signing_secret,
            public_key=rotated.public_key,
        )

    @strawberry.mutation
    @answered(ScheduleProductIntegrationSigningKeyRotationPayload)
    async def schedule_product_integration_signing_key_rotation(
        self, info: Info, input_: ScheduleProductIntegrationSigningKeyRotationInput
    ) -> ScheduleProductIntegrationSigningKeyRotationPayload:
        """Have ED25519 keys rotated by themselves, or no more."""
        context = info.context
        changed = await schedule_rotation(
            context.definitions,
            context.definitions.rotations_due,
            input_.id,
            context.now_ms,
            every_days=input_.every_days,
            overlap_s=input_.overlap_seconds,
            algorithm=input_.algorithm,
        )
        return ScheduleProductIntegrationSigningKeyRotationPayload(product_integration=working(changed))
