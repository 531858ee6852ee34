"""Bulk jobs: other actions, pace, cut-off, turns, results, cancelling, and asking twice."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from dispatcher.model.integration import LaneLimits, Revision
from dispatcher.model.status import Status
from dispatcher.store.queue.acting.redeliveries import RedeliveryStore
from tests.api.conftest import Api, Start, publish
from tests.api.test_redeliveries import PATH, dead, finished, statuses
from tests.api.worker_hand import WorkerHand
from tests.waiting import until

SLOW = 0.1
"""Events a second: the API's clock stands still until a test lets it go on, so no second one is handled before."""
GAP_S = 10


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.flow.events.acting.bulk_redelivery.LOOK_S", 0.02)
    monkeypatch.setattr("dispatcher.flow.events.acting.bulk_redelivery.SHORTEST_PAUSE_S", 0.01)


async def start_job(api: Api, **body: Any) -> str:
    return str((await api.json("POST", PATH, 202, json={"filter": {}} | body))["id"])


async def items(api: Api, job_id: str) -> list[dict[str, Any]]:
    return list((await api.json("GET", f"{PATH}/{job_id}/items", 200))["data"])


async def progress(api: Api, job_id: str) -> Any:
    return await api.json("GET", f"{PATH}/{job_id}", 200)


async def handled(api: Api, job_id: str, how_many: int) -> Any:
    async def look() -> Any:
        body = await progress(api, job_id)
        return body if body["done"] + body["skipped"] + body["failed"] == how_many else None

    return await until(look)


async def in_time(api: Api, job_id: str) -> Any:
    """The job once it has ended, for which its clock goes on."""

    async def look() -> Any:
        api.clock.now_s += GAP_S
        body = await progress(api, job_id)
        return None if body["state"] == "RUNNING" else body

    return await until(look)


async def test_every_retrying_event_goes_now(api: Api) -> None:
    hand, retrying = WorkerHand(api), []
    for account in "ABC":
        retrying.append((await api.emit(accountId=account))["id"])
        await hand.settle(retrying[-1], Status.RETRYING, delay_ms=600_000)
    behind = (await api.emit(accountId="A"))["id"]
    job_id = await start_job(api, action="deliver-now")
    body = await finished(api, job_id)
    assert (body["action"], body["done"], body["total"]) == ("deliver-now", 3, 3)
    assert [one["eventId"] for one in await items(api, job_id)] == retrying
    for event_id in retrying:
        assert (await hand.claim(event_id)).n == 2
    assert (await api.json("GET", f"/v1/events/{behind}/explain", 200))["blockedBy"] == retrying[0]


async def test_everything_that_failed_is_resolved(api: Api) -> None:
    made = await dead(api, 3)
    await api.emit(accountId="waiting")
    body = await finished(api, await start_job(api, action="resolve"))
    assert (body["done"], body["total"]) == (3, 3)
    assert await statuses(api) == {"RESOLVED", "QUEUED"}
    assert (await api.json("GET", f"/v1/events/{made[0]}", 200))["manuallyResolved"] is True


async def test_what_waits_is_resolved_when_it_is_asked_for(api: Api) -> None:
    await api.emit()
    body = await finished(api, await start_job(api, action="resolve", filter={"status": ["QUEUED", "HELD"]}))
    assert (body["done"], await statuses(api)) == (1, {"RESOLVED"})


async def test_a_job_keeps_its_rate(api: Api) -> None:
    made = await dead(api, 3)
    job_id = await start_job(api, rate=SLOW)
    for n in range(1, 4):
        body = await handled(api, job_id, n)
        assert [one["eventId"] for one in await items(api, job_id)] == made[:n]
        api.clock.now_s += 5 * GAP_S
    assert (body["state"], body["done"], body["rate"]) == ("DONE", 3, SLOW)


async def test_a_dry_run_tells_the_end_at_the_rate(api: Api) -> None:
    slow = Revision(urls={"createUrl": "https://host.example"}, limits=LaneLimits(rate_per_s=0.5))
    integration = await publish(api.services, slow, products=("P-slow",))
    hand = WorkerHand(api)
    for n in range(3):
        event_id = (await api.emit(productId="P-slow", accountId=f"S-{n}"))["id"]
        await hand.settle(event_id, Status.FAILED if n else Status.DEAD)
    asked = {"filter": {"productId": "P-slow"}, "dryRun": True}
    seen = await api.json("POST", PATH, 200, json=asked)
    assert seen["byStatus"] == {"DEAD": 1, "FAILED": 2}
    assert seen["byIntegration"] == [{"integrationId": integration.id, "matched": 3, "ratePerSecond": 0.5}]
    assert (seen["seconds"], seen["endsAt"]) == (6.0, "2027-01-15T08:00:06.000Z")
    assert (await api.json("POST", PATH, 200, json=asked | {"rate": 0.25}))["seconds"] == 12.0
    assert (await api.json("POST", PATH, 200, json=asked | {"rate": 100}))["seconds"] == 6.0


async def test_a_job_that_is_cancelled_leaves_what_it_has_not_done(api: Api) -> None:
    made = await dead(api, 3)
    job_id = await start_job(api, rate=SLOW)
    await handled(api, job_id, 1)
    for _ in range(2):
        body = await api.json("DELETE", f"{PATH}/{job_id}", 200)
        assert (body["state"], body["done"], body["total"]) == ("CANCELLED", 1, 3)
    assert body["endedAt"] is not None
    api.clock.now_s += GAP_S
    other = await start_job(api, filter={"accountId": "nobody"})
    assert (await finished(api, other))["state"] == "DONE"
    assert (await progress(api, job_id))["done"] == 1
    left = {event["id"] for event in (await api.json("GET", "/v1/events?status=DEAD", 200))["data"]}
    assert left == set(made[1:])


async def test_cancelling_what_has_ended_changes_nothing(api: Api) -> None:
    await dead(api, 1)
    job_id = await start_job(api)
    ended = await finished(api, job_id)
    assert await api.json("DELETE", f"{PATH}/{job_id}", 200) == ended
    await api.refused("DELETE", f"{PATH}/nobody", 404, "not_found")


async def test_what_comes_after_a_job_began_is_left_alone(api: Api) -> None:
    hand = WorkerHand(api)
    first = await dead(api, 2, hand)
    job_id = await start_job(api, rate=SLOW)
    await handled(api, job_id, 1)
    await hand.settle(first[0], Status.DEAD)
    later = (await api.emit(accountId="late"))["id"]
    await hand.settle(later, Status.DEAD)
    body = await in_time(api, job_id)
    assert (body["done"], body["total"]) == (2, 2)
    left = {event["id"] for event in (await api.json("GET", "/v1/events?status=DEAD", 200))["data"]}
    assert left == {first[0], later}


async def test_asking_twice_sends_nothing_twice(api: Api) -> None:
    """J6: what the first job has sent again, and what failed again meanwhile, the second one skips."""
    hand = WorkerHand(api)
    made = await dead(api, 3, hand)
    first = await start_job(api, rate=SLOW)
    await handled(api, first, 1)
    second = await start_job(api, rate=SLOW)
    await handled(api, second, 1)
    for event_id in made[:2]:
        await hand.settle(event_id, Status.DEAD)
    done = [await in_time(api, job_id) for job_id in (first, second)]
    assert sum(body["done"] for body in done) == 3
    results = [one for job_id in (first, second) for one in await items(api, job_id)]
    assert sorted(one["eventId"] for one in results if one["outcome"] == "DONE") == sorted(made)
    assert {one["code"] for one in results if one["outcome"] == "SKIPPED"} <= {"wrong_status", "attempted_since"}
    for event_id in made[:2]:
        assert (await api.json("GET", f"/v1/events/{event_id}", 200))["attempts"] == 2


async def test_a_long_job_keeps_no_other_waiting(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.flow.events.acting.bulk_step.AT_ONCE", 1)
    await dead(api, 12)
    long, short = await asyncio.gather(
        start_job(api, filter={"from": 1}), start_job(api, filter={"accountId": "A-11"}, action="resolve")
    )
    assert (await finished(api, short))["done"] == 1
    body = await finished(api, long)
    assert (body["done"] + body["skipped"], body["total"]) == (12, 12) if body["skipped"] else (11, 11)


async def test_jobs_are_listed_newest_first(api: Api) -> None:
    made = [await start_job(api, filter={"accountId": account}) for account in "ABC"]
    for job_id in made:
        await finished(api, job_id)
    listed = await api.json("GET", f"{PATH}?limit=2", 200)
    assert [job["id"] for job in listed["data"]] == made[:0:-1]
    assert [job["filter"] for job in listed["data"]] == [{"accountId": "C"}, {"accountId": "B"}]
    rest = await api.json("GET", f"{PATH}?limit=2&cursor={listed['nextCursor']}", 200)
    assert ([job["id"] for job in rest["data"]], rest["nextCursor"]) == (made[:1], None)
    await api.refused("GET", f"{PATH}?cursor=nobody", 400, "invalid_cursor", "cursor")


async def test_each_event_has_its_result_in_pages_and_as_lines(api: Api) -> None:
    made = await dead(api, 3)
    await api.json("POST", f"/v1/events/{made[1]}/resolve", 200)
    job_id = await start_job(api, filter={"status": "DEAD"})
    body = await finished(api, job_id)
    assert (body["done"], body["total"]) == (2, 2)
    page = await api.json("GET", f"{PATH}/{job_id}/items?limit=1", 200)
    assert page["data"] == [{"eventId": made[0], "outcome": "DONE", "code": None}]
    rest = await api.json("GET", f"{PATH}/{job_id}/items?cursor={page['nextCursor']}", 200)
    assert ([one["eventId"] for one in rest["data"]], rest["nextCursor"]) == ([made[2]], None)
    answer = await api.ask("GET", f"{PATH}/{job_id}/items", headers={"Accept": "application/x-ndjson"})
    assert answer.content_type == "application/x-ndjson"
    assert [orjson.loads(line) for line in (await answer.read()).splitlines()] == page["data"] + rest["data"]
    for bad in ("cursor=-1", "cursor=x", "cursor=9999999"):
        await api.refused("GET", f"{PATH}/{job_id}/items?{bad}", 400, "invalid_parameter", "cursor")


async def test_a_job_goes_on_in_another_process_where_it_was(start: Start, api: Api) -> None:
    made = await dead(api, 3)
    job_id = await start_job(api, rate=SLOW)
    await handled(api, job_id, 1)
    await api.http.close()
    await RedeliveryStore(api.redis).release(job_id)
    other = await start()
    assert (await in_time(other, job_id))["done"] == 3
    assert [one["eventId"] for one in await items(other, job_id)] == made
