"""`dispatcher audit` on stores that no dispatcher uses yet."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.processes.startup import open_store
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]


async def _make(*, claim: bool) -> None:
    async with open_store(load_settings(), client_name="test", claim=claim):
        pass


def test_audit_of_an_embedded_store_counts_once_a_dispatcher_has_started_with_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_make(claim=False))
    ended = dispatcher(capsys, "audit")
    assert ended.status == 2
    assert str(folder) in ended.err
    asyncio.run(_make(claim=True))
    ended = dispatcher(capsys, "audit")
    assert ended.status == 0
    assert "0 accepted" in ended.out


def test_audit_of_a_redis_that_no_dispatcher_uses_proves_nothing(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    ended = dispatcher(capsys, "audit")
    assert ended.status == 2
    assert "DISPATCHER_REDIS_URL" in ended.err
