"""The deployment that every fault is tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.faults.deployment import Deployment, deployed
from tests.hosts import ProductHost


@pytest.fixture
async def deployment(product_host: ProductHost) -> AsyncIterator[Deployment]:
    async with deployed(product_host) as made:
        yield made
