"""``DELETE /v1/events/{id}/payload``: the content is gone for good, and what happened stays known."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.status import TERMINAL, Status
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.claims import Settlement
from tests.api.conftest import Api
from tests.api.tenants import Tenant
from tests.api.town import pairs, town
from tests.api.worker_hand import URL, WorkerHand
from tests.hand_worker import HandWorker

__all__ = ["town"]

SECRET = "Ada Lovelace"
CONTENT: dict[str, Any] = {"payload": {"company": {"name": SECRET}, "n": 1.50}, "creator": {"name": SECRET}}


async def failed(api: Api, to: Status = Status.DEAD) -> str:
    """An event that ended, whose host repeated what it had been sent."""
    worker, event_id = HandWorker(api.redis, api.services.queue.partitions), (await api.emit(**CONTENT))["id"]
    claimed = await worker.take(event_id)
    attempt = Attempt(claimed.n, 5, 1.5, URL, Outcome.HTTP_ERROR, 500, "UNKNOWN_ERROR", f"no {SECRET}", f"<{SECRET}>")
    ended = Settlement(claimed, to, 0, attempt, "UNKNOWN_ERROR", f"{SECRET} is unknown")
    assert await worker.settle(worker.partition_of(event_id), [ended]) == 1
    return str(event_id)


async def expunge(api: Api, event_id: str) -> None:
    answer = await api.ask("DELETE", f"/v1/events/{event_id}/payload")
    assert (answer.status, await answer.read()) == (204, b"")


async def kept(api: Api, event_id: str) -> bytes:
    key = keys.event(int(event_id[-3:], 16), event_id)
    record: dict[bytes, bytes] = await api.redis.hgetall(key)  # type: ignore[misc]
    return b"\n".join(record.values())


async def test_content_is_gone_and_what_happened_stays(api: Api) -> None:
    event_id = await failed(api)
    before = await api.json("GET", f"/v1/events/{event_id}", 200)
    assert (before["payloadExpunged"], before["payload"]["company"]["name"]) == (False, SECRET)
    for _ in range(2):
        await expunge(api, event_id)
    after = await api.json("GET", f"/v1/events/{event_id}", 200)
    gone = {"payload": None, "creator": None, "payloadExpunged": True}
    assert after == before | gone | {"error": {"code": "UNKNOWN_ERROR", "message": None}}
    (attempt,) = await api.json("GET", f"/v1/events/{event_id}/attempts", 200)
    assert (attempt["responseBody"], attempt["errorDetail"]) == (None, None)
    assert (attempt["httpStatus"], attempt["url"], attempt["outcome"]) == (500, URL, "HTTP_ERROR")
    assert (attempt["startedAt"], attempt["durationMs"]) == ("1970-01-01T00:00:00.005Z", 1.5)
    assert SECRET.encode() not in await kept(api, event_id)
    listed = (await api.json("GET", "/v1/events", 200))["data"]
    assert [one["payloadExpunged"] for one in listed] == [True]


@pytest.mark.parametrize("status", sorted(TERMINAL - {Status.EXPIRED, Status.RESOLVED}))
async def test_every_event_that_has_ended_may_be_expunged(api: Api, status: Status) -> None:
    event_id = await failed(api, status)
    await expunge(api, event_id)
    assert (await api.json("GET", f"/v1/events/{event_id}", 200))["status"] == status


async def test_what_is_still_to_be_sent_keeps_its_content(api: Api) -> None:
    event_id = (await api.emit(**CONTENT))["id"]
    body = await api.refused("DELETE", f"/v1/events/{event_id}/payload", 409, "wrong_status")
    assert "has not ended" in body["errors"][0]["message"]
    assert "resolve it first" in body["errors"][0]["message"]
    assert (await api.json("GET", f"/v1/events/{event_id}", 200))["payload"] == CONTENT["payload"]
    await api.json("POST", f"/v1/events/{event_id}/resolve", 200)
    await expunge(api, event_id)


async def test_what_was_expunged_is_not_sent_again(api: Api) -> None:
    event_id = await failed(api)
    await expunge(api, event_id)
    await api.refused("POST", f"/v1/events/{event_id}/redeliver", 409, "payload_expunged")
    closed = await api.json("POST", f"/v1/events/{event_id}/resolve", 200)
    assert (closed["status"], closed["payloadExpunged"]) == ("RESOLVED", True)


async def test_an_attempt_that_ends_later_brings_nothing_back(api: Api) -> None:
    hand, event_id = WorkerHand(api), (await api.emit(**CONTENT))["id"]
    claimed = await hand.claim(event_id)
    await api.json("POST", f"/v1/events/{event_id}/resolve", 200)
    await expunge(api, event_id)
    await hand.settle_late(claimed, Attempt(claimed.n, 5, 1.5, URL, Outcome.OK, 200, response_body=SECRET))
    assert SECRET.encode() not in await kept(api, event_id)


async def test_it_is_noted_and_takes_a_right_within_reach(town: list[Tenant]) -> None:
    for mine, other in pairs(town[:2]):
        path = f"/v1/events/{mine.event_id}/payload"
        await mine.api.refused("DELETE", path, 404, "not_found", headers=other.headers)
        reader = await mine.api.bearer_of_new("events:read")
        await mine.api.refused("DELETE", path, 403, "insufficient_scope", headers=reader)
        assert (await mine.api.ask("DELETE", path, headers=mine.headers)).status == 204
