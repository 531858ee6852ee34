"""Fixtures of servers that stand for the outside world; a pytest plugin."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.authorization_server import AuthorizationServer
from tests.hosts import ProductHost


@pytest.fixture
async def product_host() -> AsyncIterator[ProductHost]:
    """Answers 200 ``{"success":true}`` until told otherwise; its token endpoint takes any client."""
    async with ProductHost() as host:
        yield host


@pytest.fixture
async def authorization_server() -> AsyncIterator[AuthorizationServer]:
    """Knows no client until one is registered."""
    server = AuthorizationServer()
    await server.start()
    yield server
    await server.stop()
