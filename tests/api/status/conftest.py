"""The scene of every test of the verdict over HTTP."""

from __future__ import annotations

import pytest

from dispatcher.model.integration import Integration, Revision
from tests.api.conftest import Start, publish
from tests.api.status.ward import PARTITIONS, URL, Ward
from tests.hand_worker import HandWorker


@pytest.fixture
async def ward(start: Start) -> Ward:
    api = await start()
    made: Integration = await publish(api.services, Revision(urls={"createUrl": URL}), products=("P-1",))
    here = Ward(api, made.id, HandWorker(api.redis, PARTITIONS, lane_cap=2000))
    await here.works()
    return here
