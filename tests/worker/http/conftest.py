"""A session as workers have it, for tests that talk to hosts of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from worker.http.aiohttp_inside.session import Session, guarded_session


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    async with guarded_session(lambda _: None) as made:
        yield made
