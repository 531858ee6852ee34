"""``POST /v1/events/{id}/deliver-now``: what it answers, to whom, and what it says that the event waits for."""

from __future__ import annotations

from typing import Any

from dispatcher.model.status import Status
from tests.api.conftest import Api
from tests.api.tenants import Tenant
from tests.api.town import pairs, town
from tests.api.worker_hand import WorkerHand

__all__ = ["town"]


async def retrying(api: Api, hand: WorkerHand, **fields: Any) -> str:
    event_id = str((await api.emit(**fields))["id"])
    await hand.settle(event_id, Status.RETRYING, delay_ms=60_000)
    return event_id


async def test_a_retrying_event_goes_now(api: Api) -> None:
    hand = WorkerHand(api)
    event_id = await retrying(api, hand)
    planned = (await api.json("GET", f"/v1/events/{event_id}", 200))["nextAttemptAt"]
    answer = await api.json("POST", f"/v1/events/{event_id}/deliver-now", 202)
    assert (answer["id"], answer["status"], answer["attempts"]) == (event_id, "RETRYING", 1)
    assert answer["nextAttemptAt"] < planned
    assert answer["explanation"]["reason"] in ("ready", "no_worker")
    assert answer["explanation"]["status"] == answer["status"]
    assert (await hand.claim(event_id)).n == 2


async def test_the_answer_says_that_the_integration_is_paused(api: Api) -> None:
    event_id = await retrying(api, WorkerHand(api))
    lane = (await api.json("GET", f"/v1/events/{event_id}", 200))["integrationId"]
    await api.json("POST", f"/v1/lanes/{lane}/pause", 200)
    answer = await api.json("POST", f"/v1/events/{event_id}/deliver-now", 202)
    assert answer["explanation"] == await api.json("GET", f"/v1/events/{event_id}/explain", 200)
    assert answer["explanation"]["reason"] == "paused"


async def test_an_event_behind_another_names_the_one_that_goes_first(api: Api) -> None:
    head = await retrying(api, WorkerHand(api))
    behind = (await api.emit())["id"]
    body = await api.refused("POST", f"/v1/events/{behind}/deliver-now", 409, "behind_event")
    assert body["errors"][0]["blockedBy"] == head
    assert head in body["errors"][0]["message"]


async def test_an_event_that_is_not_retrying_is_told_its_status(api: Api) -> None:
    queued = (await api.emit())["id"]
    body = await api.refused("POST", f"/v1/events/{queued}/deliver-now", 409, "wrong_status")
    assert "QUEUED" in body["errors"][0]["message"]
    assert "blockedBy" not in body["errors"][0]
    await WorkerHand(api).settle(queued, Status.DEAD)
    body = await api.refused("POST", f"/v1/events/{queued}/deliver-now", 409, "wrong_status")
    assert "redeliver" in body["errors"][0]["message"]


async def test_it_takes_the_right_to_operate(api: Api) -> None:
    event_id = await retrying(api, WorkerHand(api))
    emitter = await api.bearer_of_new("events:write", "events:read")
    path = f"/v1/events/{event_id}/deliver-now"
    await api.refused("POST", path, 403, "insufficient_scope", headers=emitter)
    await api.json("POST", path, 202, headers=await api.bearer_of_new("ops:write"))


async def test_a_vendor_brings_forward_what_is_its_own(town: list[Tenant]) -> None:
    for mine, other in pairs(town[:2]):
        event_id = await retrying(mine.api, mine.hand, productId=mine.product, accountId="A-now")
        path = f"/v1/events/{event_id}/deliver-now"
        await mine.api.refused("POST", path, 404, "not_found", headers=other.headers)
        await mine.api.json("POST", path, 202, headers=mine.headers)
