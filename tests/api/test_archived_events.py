"""The API over both sides of the border: what is asked of an archived event is answered as it was before it moved."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.integration import Revision
from dispatcher.model.status import Status
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.archive.upkeep.writing import ArchiveWriter
from tests.api.conftest import PRODUCT, Api, Start, publish
from tests.api.worker_hand import WorkerHand
from tests.store.archive.history import RETENTION_MS, soon_ms


class Town:
    """An API whose events move at a test's word."""

    def __init__(self, api: Api, folder: Path) -> None:
        self.api = api
        self.hand = WorkerHand(api, RETENTION_MS)
        self.folder = folder

    async def emitted(self, to: Status, **fields: Any) -> str:
        event_id = (await self.api.emit(accountId=None, **fields))["id"]
        await self.hand.settle(event_id, to, http_status=200 if to is Status.SUCCEEDED else 500)
        return str(event_id)

    async def move(self) -> int:
        partitions = self.api.services.queue.partitions
        archive = Archive(self.api.redis, FileStorage(self.folder), soon_ms)
        writer = ArchiveWriter(archive, partitions=partitions, after_ms=0, gather_ms=0)
        return sum([(await writer.step(number, under)).archived for number, under in self.hand.generations.items()])

    async def everything(self, ids: list[str]) -> list[Any]:
        asked = [f"/v1/events/{one}{part}" for one in ids for part in ("", "/attempts", "/explain")]
        asked += ["/v1/events", "/v1/events?limit=1", "/v1/events?status=SUCCEEDED&productId=P-1"]
        answers = [await self.api.json("GET", path, 200) for path in asked]
        return [{**answer, "nextCursor": None} if isinstance(answer, dict) else answer for answer in answers]


@pytest.fixture
async def town(start: Start, tmp_path: Path) -> Town:
    folder = tmp_path / "archive"
    api = await start(archive_dir=folder)
    api.clock.now_s = time.time()
    api.headers = await api.bearer()
    await publish(api.services, Revision(urls={"createUrl": "https://host.example/hook"}), products=(PRODUCT,))
    return Town(api, folder)


async def test_every_read_answers_as_it_did(town: Town) -> None:
    ids = [await town.emitted(Status.SUCCEEDED, payload={"n": number}) for number in range(3)]
    ids.append(await town.emitted(Status.DEAD))
    before = await town.everything(ids)
    assert await town.move() == 3
    assert await town.everything(ids) == before
    await town.api.refused("POST", f"/v1/events/{ids[0]}/redeliver", 409, "wrong_status")
    await town.api.json("POST", f"/v1/events/{ids[3]}/redeliver", 202)


async def test_an_archived_event_is_expunged(town: Town) -> None:
    event_id = await town.emitted(Status.SUCCEEDED, payload={"name": "Ada Lovelace"})
    assert await town.move() == 1
    answer = await town.api.ask("DELETE", f"/v1/events/{event_id}/payload")
    assert answer.status == 204
    shown = await town.api.json("GET", f"/v1/events/{event_id}", 200)
    assert (shown["payloadExpunged"], shown["payload"]) == (True, None)


async def test_an_archive_that_is_away_is_told_and_accepting_goes_on(town: Town) -> None:
    event_id = await town.emitted(Status.SUCCEEDED)
    assert await town.move() == 1
    town.folder.rename(town.folder.with_name("away"))
    await town.api.refused("GET", f"/v1/events/{event_id}", 503, "archive_unavailable")
    await town.api.refused("GET", "/v1/events", 503, "archive_unavailable")
    newer = await town.emitted(Status.DEAD)
    listed = await town.api.json("GET", "/v1/events?status=DEAD", 200)
    assert [one["id"] for one in listed["data"]] == [newer]
    some = await town.api.json("GET", "/v1/events", 200)
    assert [one["id"] for one in some["data"]] == [newer]
    await town.api.refused("GET", f"/v1/events?cursor={some['nextCursor']}", 503, "archive_unavailable")
