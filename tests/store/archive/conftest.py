"""One store with a few events, and a writer that thinks that everything ended long ago."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis.asyncio import Redis

from dispatcher.store.archive.storage.files import FileStorage
from tests.store.archive.history import History
from tests.store.archive.mixed import Mixed


@pytest.fixture
async def history(redis: Redis, tmp_path: Path) -> History:
    return await History(redis, FileStorage(tmp_path / "archive")).open()


@pytest.fixture
async def mixed(history: History) -> Mixed:
    made = Mixed(history)
    await made.fill()
    return made
