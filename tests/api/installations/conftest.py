"""Shared by tests of host applications."""

from __future__ import annotations

import pytest

from tests.api.conftest import Api
from tests.api.installations.embedding import Partner, open_shop, partner_of


@pytest.fixture
async def partner(api: Api) -> Partner:
    await open_shop(api)
    return await partner_of(api, 27)
