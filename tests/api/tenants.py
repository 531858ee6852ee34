"""Two vendors with a published integration, a product and a dead event each, and the definitions that are nobody's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dispatcher.model.status import Status
from tests.api.conftest import Api
from tests.api.worker_hand import WorkerHand

EVERYTHING = ("integrations:read", "integrations:write", "events:read", "events:write", "ops:read", "ops:write")


@dataclass
class Tenant:
    """Belongings of one vendor, and headers of its client. ``vendor_id`` None = the marketplace's own."""

    api: Api
    hand: WorkerHand
    vendor_id: str | None
    product: str
    account: str
    headers: dict[str, str]
    integration: dict[str, Any] = field(default_factory=dict)
    event_id: str = ""

    @property
    def id(self) -> str:
        return str(self.integration["id"])

    async def graph(self, query: str, **variables: Any) -> Any:
        """The body of one query."""
        sent = {"query": query, "variables": variables}
        answer = await self.api.http.post("/graphql", json=sent, headers=self.headers)
        return await answer.json()

    async def mutate(self, name: str, input_text: str, wanted: str = "__typename") -> Any:
        """The payload of a mutation, user errors included."""
        errors = "userErrors { code path message }"
        body = await self.graph(f"mutation {{ {name}(input: {{ {input_text} }}) {{ {wanted} {errors} }} }}")
        assert "errors" not in body, body
        return body["data"][name]


async def bearer(
    api: Api,
    *scopes: str,
    vendor_id: str | None = None,
    account_id: str | None = None,
    rate_per_s: float | None = None,
    marketplaces: tuple[int, ...] | None = None,
) -> dict[str, str]:
    """Headers of a new client that is bound so."""
    client, secret = await api.services.clients.create(
        frozenset(scopes),
        "test",
        account_id,
        0,
        vendor_id=vendor_id,
        rate_per_s=rate_per_s,
        marketplaces=marketplaces,
    )
    return await api.bearer(client.client_id, secret)


async def settle_in(hand: WorkerHand, api: Api, vendor_id: str | None, product: str, account: str) -> Tenant:
    """A tenant whose integration is published and linked, with one dead event."""
    tenant = Tenant(api, hand, vendor_id, product, account, await bearer(api, *EVERYTHING, vendor_id=vendor_id))
    made = await tenant.mutate(
        "createProductIntegration",
        f'name: "of {vendor_id}", createUrl: "https://host.example/{product}"',
        "productIntegration { id appMarketId connectorId vendorId }",
    )
    assert made["userErrors"] == [], made
    tenant.integration = made["productIntegration"]
    assert tenant.integration["vendorId"] == vendor_id
    published = await tenant.mutate("publishProductIntegration", f'integrationId: "{tenant.id}"')
    assert published["userErrors"] == [], published
    link = await tenant.mutate("linkProductIntegration", f'productId: "{product}", integrationId: "{tenant.id}"')
    assert link["userErrors"] == [], link
    await api.services.definitions.link(product, tenant.id, api.services.now_ms())  # the marketplace says so too
    event = await api.emit(productId=product, accountId=account, headers=tenant.headers)
    tenant.event_id = event["id"]
    await hand.settle(tenant.event_id, Status.DEAD)
    return tenant
