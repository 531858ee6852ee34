"""The two objects that publishers work with: integrations, version by version, and the products linked to them."""

from __future__ import annotations

import strawberry

from dispatcher.api.graphql.bounds.allowance import LOOK_BYTES, TEST_BYTES, VERSION_BYTES
from dispatcher.api.graphql.context import GraphContext, Info
from dispatcher.api.graphql.types import views
from dispatcher.api.graphql.types.conversion import arguments
from dispatcher.api.graphql.types.integration_fields import ShownFields
from dispatcher.api.graphql.types.outputs import (
    CredentialState,
    InboundClient,
    LinkedProduct,
    PlannedAttempt,
    SigningKey,
    SigningKeyRotation,
    SigningSecret,
    SuspendedUrl,
)
from dispatcher.api.graphql.types.ping_outputs import IntegrationTest
from dispatcher.clock import iso_ms
from dispatcher.errors import InvalidRequest
from dispatcher.model.integration import WORKING, Integration, Revision
from dispatcher.model.integration import Product as StoredProduct
from dispatcher.model.ping import PingTrigger
from dispatcher.policy.pace.retry import plan
from dispatcher.store.definitions.pings.history import KEPT

MAX_REVISIONS = 50


@strawberry.type
class Identity:
    """The integration and its version."""

    integration: strawberry.Private[Integration]
    revision_shown: strawberry.Private[Revision]
    id: strawberry.ID
    version: str
    type: str
    app_market_id: int
    connector_id: str
    name: str
    created_on: str
    last_modified: str
    revision: int | None = strawberry.field(description="Number of the published revision shown; null = WORKING.")
    published_revision: int | None = strawberry.field(description="Number of the newest published revision.")
    vendor_id: strawberry.ID | None = strawberry.field(description="Whose it is; null = the marketplace's alone.")
    published_on: str | None
    published_by: str | None


@strawberry.type
class ProductIntegration(Identity, ShownFields):
    """One version of an integration: ``version`` says which."""

    inbound_client: InboundClient | None
    signing_secrets: list[SigningSecret]
    linked_products: list[LinkedProduct]
    ui_read_only: bool
    probe_interval_minutes: int | None = strawberry.field(description="Minutes between scheduled pings; null = none.")

    @classmethod
    def of(cls, integration: Integration, shown: Revision) -> ProductIntegration:
        """One version of ``integration`` as publishers see it."""
        is_working = shown.number == WORKING
        return cls(
            integration=integration,
            revision_shown=shown,
            id=strawberry.ID(integration.id),
            version="WORKING" if is_working else "PUBLISHED",
            type=integration.type,
            app_market_id=integration.app_market_id,
            connector_id=integration.connector_id,
            created_on=iso_ms(integration.created_ms),
            last_modified=iso_ms(integration.modified_ms),
            revision=None if is_working else shown.number,
            published_revision=integration.published_revision,
            published_on=None if is_working else iso_ms(shown.created_ms),
            published_by=shown.created_by or None,
            inbound_client=views.inbound_client(integration.inbound_client),
            signing_secrets=[views.signing_secret(one) for one in integration.signing_secrets],
            linked_products=[LinkedProduct(id=strawberry.ID(one)) for one in integration.linked_products],
            ui_read_only=integration.ui_read_only,
            **arguments(cls, views.shown(integration, shown)),
        )

    @strawberry.field
    async def working(self, info: Info) -> ProductIntegration:
        """The version that is edited."""
        await info.context.allowance.spend(VERSION_BYTES)
        return ProductIntegration.of(self.integration, self.integration.working)

    @strawberry.field
    async def published(self, info: Info) -> ProductIntegration | None:
        """The version that new events use, or null before the first publish."""
        number = self.integration.published_revision
        found = await info.context.definitions.revision(self.integration.id, number) if number else None
        return ProductIntegration.of(self.integration, found) if found else None

    @strawberry.field
    async def revisions(self, info: Info, last: int = MAX_REVISIONS) -> list[ProductIntegration]:
        """The newest published versions, oldest first."""
        if not 1 <= last <= MAX_REVISIONS:
            raise InvalidRequest.of("invalid_limit", f"last is between 1 and {MAX_REVISIONS}.", "last")
        found = await info.context.definitions.revisions(self.integration.id, last)
        return [ProductIntegration.of(self.integration, one) for one in found]

    @strawberry.field
    def signing_keys(self, info: Info) -> list[SigningKey]:
        """The keys that sign now, newest first; never a secret."""
        now_ms = info.context.now_ms
        return [views.signing_key(one) for one in self.integration.signing_secrets if one.signs_at(now_ms)]

    @strawberry.field
    async def credential_state(self, info: Info) -> CredentialState:
        """State of the tokens for deliveries: to be had, or failing."""
        queue = info.context.services.reads
        await info.context.allowance.spend(LOOK_BYTES)
        return CredentialState.of(await queue.credentials_failing_since(self.integration.id))

    @strawberry.field
    async def suspended_urls(self, info: Info) -> list[SuspendedUrl]:
        """URLs that answered 410 Gone, with the types of this version that go there."""
        await info.context.allowance.spend(LOOK_BYTES)
        since_ms = await info.context.services.reads.suspended_urls(self.integration.id)
        return views.suspended_urls(self.revision_shown, since_ms)

    @strawberry.field
    def signing_key_rotation(self) -> SigningKeyRotation | None:
        """Schedule by which ED25519 keys are rotated by themselves; null = never."""
        return views.signing_key_rotation(self.integration.signing_rotation)

    @strawberry.field
    def retry_preview(self, info: Info) -> list[PlannedAttempt]:
        """Times of attempts that all fail: by this version's schedule, or else the deployment's."""
        own = self.retry_schedule
        schedule_s = info.context.services.deployment.retry_schedule_s if own is None else own
        return [PlannedAttempt.of(one) for one in plan(schedule_s, self.max_age)]

    @strawberry.field
    async def last_test(self, info: Info) -> IntegrationTest | None:
        """The newest ping test."""
        return await last_test(info.context, self.integration.id)

    @strawberry.field
    async def test(self, info: Info, id_: strawberry.ID) -> IntegrationTest | None:
        """One ping test, while it is among the last 50."""
        await info.context.allowance.spend(TEST_BYTES)
        found = await info.context.definitions.pings.find(self.integration.id, id_)
        return IntegrationTest.of(found, info.context.now_ms) if found else None

    @strawberry.field
    async def tests(self, info: Info, last: int = KEPT, trigger: PingTrigger | None = None) -> list[IntegrationTest]:
        """The newest ping tests, newest first: those that were asked for, those on schedule, or both."""
        if not 1 <= last <= KEPT:
            raise InvalidRequest.of("invalid_limit", f"last is between 1 and {KEPT}.", "last")
        await info.context.allowance.spend(TEST_BYTES * last)
        found = await info.context.definitions.pings.history(self.integration.id)
        wanted = [one for one in found if trigger is None or one.trigger is trigger]
        return [IntegrationTest.of(one, info.context.now_ms) for one in wanted[:last]]


@strawberry.type
class ProductIntegrationPage:
    nodes: list[ProductIntegration]
    next_cursor: str | None


@strawberry.type
class Edition:
    code: str
    name: str
    description: str | None


@strawberry.type
class Product:
    id: strawberry.ID
    version: str
    integration_id: strawberry.ID | None
    name: str | None
    description: str | None
    logo: str | None
    support_url: str | None
    terms_url: str | None
    editions: list[Edition]
    claimed: bool = strawberry.field(description="Only its vendor says so; a client of no vendor has to link it once.")

    @strawberry.field
    async def product_integration(self, info: Info) -> ProductIntegration | None:
        """The integration that hears of this product's events."""
        if self.integration_id is None:
            return None
        found = await info.context.definitions.integration(self.integration_id)
        return ProductIntegration.of(found, found.working) if found else None

    @strawberry.field
    async def last_test(self, info: Info) -> IntegrationTest | None:
        """The newest ping test of the product's integration."""
        if self.integration_id is None:
            return None
        return await last_test(info.context, self.integration_id)

    @classmethod
    def of(cls, product: StoredProduct) -> Product:
        owner, details = product.integration_id, product.details
        return cls(
            id=strawberry.ID(product.id),
            version=product.version,
            integration_id=strawberry.ID(owner) if owner else None,
            name=details.name,
            description=details.description,
            logo=details.logo,
            support_url=details.support_url,
            terms_url=details.terms_url,
            claimed=product.claimed,
            editions=[Edition(code=one.code, name=one.name, description=one.description) for one in details.editions],
        )


async def last_test(context: GraphContext, integration_id: str) -> IntegrationTest | None:
    await context.allowance.spend(TEST_BYTES)
    found = await context.definitions.pings.last(integration_id)
    return IntegrationTest.of(found, context.now_ms) if found else None
