"""`dispatcher doctor` on stores that are away, new, and full of waiting events: its checks and its exit status."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.processes.startup import open_store
from dispatcher.ids import new_uuid
from dispatcher.settings import Settings
from dispatcher.store.queue.events import QueueStore
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher
from tests.events import event_of

__all__ = ["folder"]

SECRET = "canary-S3cre1-0123456789"


def test_doctor_exits_with_1_when_redis_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", f"redis://:{SECRET}@127.0.0.1:1")
    outcome = dispatcher(capsys, "doctor", "--json")
    assert outcome.status == 1
    assert outcome.json()["well"] is False
    assert outcome.json()["checks"][0]["level"] == "fail"
    assert SECRET not in outcome.out


def test_doctor_of_the_embedded_server_is_content(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = dispatcher(capsys, "doctor", "--json")
    assert outcome.status == 0
    levels = {check["name"]: check["level"] for check in outcome.json()["checks"]}
    assert {name for name, level in levels.items() if level == "warn"} == {"workers", "secret keys", "memory"}


def test_doctor_exits_with_1_when_events_wait_and_nobody_delivers_them(capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(_accept_one(load_settings()))
    outcome = dispatcher(capsys, "doctor", "--json")
    assert (outcome.status, outcome.json()["well"]) == (1, False)
    assert [check["name"] for check in outcome.json()["checks"] if check["level"] == "fail"] == ["workers"]


async def _accept_one(settings: Settings) -> None:
    async with open_store(settings, client_name="test") as store:
        queue = QueueStore(store.redis, partitions=settings.partitions, retention_ms=settings.retention_ms)
        await queue.accept([event_of(new_uuid(), settings.partitions)])
