"""Bulk redelivery: a dry run counts, a run gets there, another process goes on where one stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.api.rest.jobs.redeliveries import REDELIVERER
from dispatcher.model.queue import EventFilter
from dispatcher.model.redelivery import BulkAction, Redelivery, RedeliveryState
from dispatcher.model.status import FAILURES, Status
from dispatcher.model.term import Bounds, Field, Term
from dispatcher.store.keys import deployment as keys
from dispatcher.store.queue.acting.redeliveries import RedeliveryStore
from tests.api.conftest import ADMIN_ID, Api, Start
from tests.api.worker_hand import WorkerHand
from tests.waiting import until

PATH = "/v1/redeliveries"


async def dead(api: Api, how_many: int, hand: WorkerHand | None = None) -> list[str]:
    hand, made = hand or WorkerHand(api), []
    for n in range(how_many):
        made.append((await api.emit(accountId=f"A-{n}"))["id"])
        await hand.settle(made[-1], Status.DEAD)
    return made


async def finished(api: Api, job_id: str) -> Any:
    async def ended() -> Any:
        body = await api.json("GET", f"{PATH}/{job_id}", 200)
        return None if body["state"] == "RUNNING" else body

    return await until(ended)


async def statuses(api: Api) -> set[str]:
    return {event["status"] for event in (await api.json("GET", "/v1/events", 200))["data"]}


async def test_dry_run_counts_and_changes_nothing(api: Api) -> None:
    await dead(api, 3)
    await api.emit()
    lane = (await api.json("GET", "/v1/events", 200))["data"][0]["integrationId"]
    assert await api.json("POST", PATH, 200, json={"filter": {}, "dryRun": True}) == {
        "id": None,
        "matched": 3,
        "exact": True,
        "action": "redeliver",
        "byStatus": {"DEAD": 3},
        "byIntegration": [{"integrationId": lane, "matched": 3, "ratePerSecond": None}],
        "seconds": None,
        "endsAt": None,
    }
    body = {"filter": {"accountId": "A-1"}, "dryRun": True}
    assert (await api.json("POST", PATH, 200, json=body))["matched"] == 1
    assert await statuses(api) == {"DEAD", "QUEUED"}


async def test_everything_that_matches_is_redelivered(api: Api) -> None:
    await dead(api, 5)
    answer = await api.ask("POST", PATH, json={"filter": {"status": ["DEAD", "failed"], "from": 1, "type": "create"}})
    started = await answer.json()
    assert (answer.status, started["matched"]) == (202, 5)
    assert answer.headers["Location"] == f"{PATH}/{started['id']}"
    body = await finished(api, started["id"])
    assert (body.pop("startedAt") <= body.pop("endedAt"), body) == (
        True,
        {
            "id": started["id"],
            "state": "DONE",
            "action": "redeliver",
            "filter": {"status": ["DEAD", "failed"], "from": 1, "type": "create"},
            "author": ADMIN_ID,
            "rate": None,
            "total": 5,
            "done": 5,
            "skipped": 0,
            "failed": 0,
        },
    )
    assert await statuses(api) == {"QUEUED"}


async def test_a_job_that_a_process_left_is_finished_by_another(start: Start, api: Api) -> None:
    await dead(api, 3)
    store = RedeliveryStore(api.redis)
    job = Redelivery("left-behind", EventFilter(statuses=FAILURES), total=3)
    await store.start(job)
    other = await start()
    assert (await finished(other, job.id))["done"] == 3
    assert await store.running() == []


async def test_a_claimed_job_is_left_to_its_owner(api: Api) -> None:
    store = RedeliveryStore(api.redis)
    assert await store.claim("j", "one")
    assert not await store.claim("j", "two")
    assert await store.claim("j", "one")
    await store.release("j")
    assert await store.claim("j", "two")


async def test_a_job_whose_record_is_gone_is_forgotten(api: Api) -> None:
    assert api.http.app is not None
    await api.redis.sadd(keys.REDELIVERIES, "ghost")  # type: ignore[misc]
    await api.http.app[REDELIVERER].start(Redelivery("other", EventFilter(statuses=FAILURES)))

    async def forgotten() -> bool:
        return not await RedeliveryStore(api.redis).running()

    await until(forgotten)


async def test_a_job_that_cannot_go_on_says_so(api: Api, start: Start) -> None:
    store = RedeliveryStore(api.redis)
    await store.start(Redelivery("stuck", EventFilter(statuses=FAILURES), total=1, cursor="forged"))
    other = await start()
    assert (await finished(other, "stuck"))["state"] == "FAILED"
    assert await store.running() == []


@pytest.mark.parametrize(
    "lost",
    [
        {"scopes": frozenset({"events:read"})},
        {"disabled": True},
        {"account_id": "A-1"},
        {"vendor_id": "other"},
        {"marketplaces": (1,)},
    ],
)
async def test_a_job_ends_with_the_rights_of_its_client(api: Api, start: Start, lost: dict[str, Any]) -> None:
    made = await dead(api, 2)
    client, _ = await api.services.clients.create(frozenset({"ops:write", "events:read"}), "", None, 0)
    await api.services.clients.put(replace(client, **lost))
    await RedeliveryStore(api.redis).start(
        Redelivery("late", EventFilter(statuses=FAILURES), total=2, client_id=client.client_id)
    )
    other = await start()
    assert (await finished(other, "late"))["state"] == "FAILED"
    assert {event["id"] for event in (await api.json("GET", "/v1/events", 200))["data"]} == set(made)
    assert await statuses(api) == {"DEAD"}


async def test_a_job_goes_on_while_its_client_may(api: Api, start: Start) -> None:
    await dead(api, 2)
    client, _ = await api.services.clients.create(frozenset({"ROLE_CHANNEL_ADMIN"}), "", None, 0)
    await RedeliveryStore(api.redis).start(
        Redelivery("on", EventFilter(statuses=FAILURES), total=2, client_id=client.client_id)
    )
    assert (await finished(await start(), "on"))["done"] == 2


async def test_a_job_keeps_every_condition(api: Api) -> None:
    store = RedeliveryStore(api.redis)
    term = Term(Field.HTTP, ("5xx",), (Bounds(500, 600), Bounds(None, 3)), True, "a.b", frozenset({"I"}))
    condition = EventFilter(FAILURES, frozenset(), "P", "A", "I", 1, 2, "acme", terms=(term,))
    job = Redelivery(
        "j",
        condition,
        RedeliveryState.RUNNING,
        9,
        8,
        7,
        6,
        "c",
        client_id="I",
        action=BulkAction.RESOLVE,
        asked={"status": ["DEAD"]},
        rate_per_s=2.5,
        next_ms=4.5,
    )
    started = await store.start(job)
    assert replace(started, started_ms=0) == job
    assert await store.get("j") == started
    assert 0 < await api.redis.ttl(keys.redelivery("j")) <= 7 * 86_400


BAD = [
    ({"filter": {"status": "QUEUED"}}, "invalid_value", "filter.status"),
    ({"filter": {"status": ","}}, "invalid_value", "filter.status"),
    ({"filter": {"accountId": ""}}, "invalid_value", "filter.accountId"),
    ({"filter": {"status": "LOST"}}, "invalid_value", "filter.status"),
    ({"filter": {"from": "soon"}}, "invalid_value", "filter.from"),
    ({"filter": {"colour": "red"}}, "unknown_field", "filter.colour"),
    ({"filter": []}, "wrong_type", "filter"),
    ({"filter": None}, "wrong_type", "filter"),
    ({}, "missing_field", "filter"),
    ({"filter": {}, "dryRun": "yes"}, "wrong_type", "dryRun"),
    ({"filter": {}, "action": "delete"}, "invalid_value", "action"),
    ({"filter": {}, "rate": 0}, "invalid_value", "rate"),
    ({"filter": {}, "rate": "fast"}, "wrong_type", "rate"),
    ({"filter": {"status": "DEAD"}, "action": "deliver-now"}, "invalid_value", "filter.status"),
    ({"filter": {"status": "SUCCEEDED"}, "action": "resolve"}, "invalid_value", "filter.status"),
    ({"filter": {}, "fliter": {}}, "unknown_field", "fliter"),
]


@pytest.mark.parametrize(("body", "code", "field"), BAD)
async def test_bad_filters_are_refused(api: Api, body: Any, code: str, field: str) -> None:
    await api.refused("POST", PATH, 422, code, field, json=body)


async def test_what_is_no_filter_is_told_both_forms(api: Api) -> None:
    body = await api.refused("POST", PATH, 422, "wrong_type", "filter", json={"filter": 5})
    assert body["errors"][0]["message"] == "Give a text such as status:dead, or a JSON object."


async def test_unknown_redelivery_is_not_found(api: Api) -> None:
    await api.refused("GET", f"{PATH}/nope", 404, "not_found")


async def test_another_products_event_is_not_redelivered_for_a_text_in_its_payload(api: Api) -> None:
    hand, event_id = WorkerHand(api), (await api.emit(payload={"p": "prodA", "list": [{"p": "prodA"}]}))["id"]
    await hand.settle(event_id, Status.DEAD)
    body = {"filter": {"productId": "prodA"}}
    assert (await api.json("POST", PATH, 200, json=body | {"dryRun": True}))["matched"] == 0
    started = await api.json("POST", PATH, 202, json=body)
    assert (await finished(api, started["id"]))["total"] == 0
    assert await statuses(api) == {"DEAD"}
