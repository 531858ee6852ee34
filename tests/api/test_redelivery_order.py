"""Bulk redelivery begins with the oldest event, so that accounts keep the order in which theirs were accepted."""

from __future__ import annotations

import pytest

from dispatcher.model.status import Status
from dispatcher.store.keys import deployment as keys
from tests.api.conftest import Api
from tests.api.test_redeliveries import PATH, finished
from tests.api.worker_hand import WorkerHand


async def test_events_of_one_account_go_again_in_the_order_in_which_they_were_accepted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.flow.events.acting.bulk_step.PAGE", 2)
    monkeypatch.setattr("dispatcher.flow.events.acting.bulk_step.AT_ONCE", 2)
    hand, made = WorkerHand(api), []
    for _ in range(5):
        made.append((await api.emit(accountId="A"))["id"])
        await hand.settle(made[-1], Status.DEAD)
    started = await api.json("POST", PATH, 202, json={"filter": {"accountId": "A"}})
    assert (await finished(api, started["id"]))["done"] == 5
    for event_id in made:
        await hand.settle(event_id, Status.SUCCEEDED)
    assert await api.redis.exists(keys.redelivery_ids(started["id"])) == 0
