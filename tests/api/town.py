"""Two vendors and what belongs to none, and how one asks for what is another's. Holds no test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from tests.api.conftest import Api, Start
from tests.api.tenants import Tenant, settle_in
from tests.api.worker_hand import WorkerHand

MUTATIONS = {
    "updateProductIntegration": 'id: "{}", name: "mine now"',
    "publishProductIntegration": 'integrationId: "{}"',
    "deleteProductIntegration": 'id: "{}"',
    "linkProductIntegration": 'integrationId: "{}", productId: "new-product"',
    "unlinkProductIntegration": 'integrationId: "{}", productId: "new-product"',
    "addProductIntegrationBookmarkConfiguration": 'integrationConfigurationId: "{}", landingUrl: "https://a.example"',
    "addProductIntegrationOpenIdConnectConfiguration": 'integrationConfigurationId: "{}", redirectUrls: [],'
    " grantTypes: [AUTHORIZATION_CODE], clientCreationMethod: PER_SUBSCRIPTION",
    "updateProductIntegrationOpenIdConnectConfiguration": 'integrationConfigurationId: "{}", redirectUrls: []',
    "removeProductIntegrationSingleSignOnConfiguration": 'integrationConfigurationId: "{}"',
    "generateProductIntegrationInboundClient": 'id: "{}"',
    "rotateProductIntegrationSigningSecret": 'id: "{}"',
    "scheduleProductIntegrationSigningKeyRotation": 'id: "{}", everyDays: 30',
    "enableProductIntegrationSuspendedUrl": 'id: "{}", eventType: SUBSCRIPTION_ORDER',
    "triggerProductIntegrationPingTest": 'id: "{}"',
    "testProductIntegrationCredentials": 'id: "{}", outboundCredentials: {{ type: NONE }}',
}
"""Every mutation but the one that creates; what names the integration is left open."""


@pytest.fixture
async def town(start: Start) -> list[Tenant]:
    """Two vendors, and what belongs to none."""
    api = await start()
    hand = WorkerHand(api)
    return [
        await settle_in(hand, api, "acme", "P-acme", "A-acme"),
        await settle_in(hand, api, "brick", "P-brick", "A-brick"),
        await settle_in(hand, api, None, "P-nobody", "A-nobody"),
    ]


def pairs(town: list[Tenant]) -> Iterator[tuple[Tenant, Tenant]]:
    """A vendor, and another tenant whose things do not exist for it."""
    return ((mine, other) for mine, other in permutations(town, 2) if mine.vendor_id is not None)


def without(body: Any, *named: object) -> str:
    """The body as text, without what differs between any two requests."""
    text = json.dumps({**body, "requestId": None, "extensions": None}, sort_keys=True)
    for one in named:
        text = text.replace(str(one), "ID")
    return text


async def answer_of(api: Api, method: str, path: str, tenant: Tenant) -> tuple[int, Any]:
    answer = await api.http.request(method, path, headers=tenant.headers)
    return answer.status, await answer.json()
