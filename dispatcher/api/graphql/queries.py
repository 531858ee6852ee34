"""Queries of publishers."""

from __future__ import annotations

import strawberry

from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.types.objects import Product, ProductIntegration, ProductIntegrationPage
from dispatcher.errors import InvalidRequest
from dispatcher.model.ping import PingVersion

MAX_PAGE = 100


@strawberry.type
class Query:
    @strawberry.field
    async def product_integration(
        self, info: Info, id_: strawberry.ID, version: PingVersion = PingVersion.WORKING
    ) -> ProductIntegration | None:
        """By UUID, appMarketId or connectorId; null when there is none, or no such version."""
        definitions = info.context.definitions
        found = await definitions.integration(id_)
        if found is None or version is PingVersion.WORKING:
            return ProductIntegration.of(found, found.working) if found else None
        number = found.published_revision
        revision = await definitions.revision(found.id, number) if number else None
        return ProductIntegration.of(found, revision) if revision else None

    @strawberry.field
    async def product_integrations(self, info: Info, limit: int = MAX_PAGE) -> list[ProductIntegration]:
        """The oldest ones; use productIntegrationPage to see them all."""
        return (await _page(info, None, limit)).nodes

    @strawberry.field
    async def product_integration_page(
        self, info: Info, cursor: str | None = None, limit: int = MAX_PAGE
    ) -> ProductIntegrationPage:
        """All of them page by page, oldest first; pass nextCursor on until it is null."""
        return await _page(info, cursor, limit)

    @strawberry.field
    async def product(self, info: Info, id_: strawberry.ID) -> Product | None:
        """A product that was linked at least once."""
        found = await info.context.definitions.product(id_)
        return Product.of(found) if found else None


async def _page(info: Info, cursor: str | None, limit: int) -> ProductIntegrationPage:
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidRequest.of("invalid_limit", f"limit is between 1 and {MAX_PAGE}.", "limit")
    page = await info.context.definitions.integrations(cursor, limit)
    nodes = [ProductIntegration.of(one, one.working) for one in page.items]
    return ProductIntegrationPage(nodes=nodes, next_cursor=page.next_cursor)
