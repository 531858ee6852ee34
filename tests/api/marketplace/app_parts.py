"""Shared by tests of apps. Holds no test."""

from __future__ import annotations

import pytest

from dispatcher.model.installation import Installation
from tests.api.marketplace.conftest import (
    ACCOUNT,
    ONE,
    Shopper,
)

APP = f"/installations/{ONE}"

FORM = {
    "sections": [
        {
            "title": "Orders",
            "fields": [
                {"name": "prefix", "label": "Prefix", "type": "text", "value": "BC-", "required": True, "kept": [1]},
                {"name": "copies", "type": "number", "value": 2},
                {
                    "name": "send",
                    "type": "select",
                    "value": "all",
                    "options": [{"value": "all", "text": "All"}, "paid"],
                },
                {"name": "hold", "type": "checkbox", "value": True},
                {"name": "pin", "type": "password", "value": "s3cret-pin"},
            ],
        }
    ],
    "unknown": {"deep": [None, 1.5]},
}


@pytest.fixture
async def shopper(shopper: Shopper) -> Shopper:
    """Signed in."""
    await shopper.connect()
    return shopper


async def only(shopper: Shopper) -> Installation:
    found, _ = await shopper.api.services.customers.list(ACCOUNT)
    assert len(found) == 1
    return found[0]
