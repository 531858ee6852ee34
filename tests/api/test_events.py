"""Reading events: one, its attempts, why it waits, lists."""

from __future__ import annotations

import asyncio
import time

import pytest

from dispatcher.api.http.request.known_parameters import known_parameters
from dispatcher.api.rest.events.shown.models import EventOut
from dispatcher.api.table import api_routes
from dispatcher.clock import iso_ms
from dispatcher.flow.events.reading.explain import SENTENCES, sentence
from dispatcher.model.integration import Revision
from dispatcher.model.queue import INTEGRATION_DELETED, Explanation, Reason
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import GONE
from tests.api.conftest import Api, publish
from tests.api.worker_hand import WorkerHand
from tests.store_commands import counted

SUFFIXES = ("", "/attempts", "/explain")


async def test_a_new_event_is_queued(api: Api) -> None:
    made = await api.emit()
    event = await api.json("GET", f"/v1/events/{made['id']}", 200)
    assert list(event) == [field.alias for field in EventOut.model_fields.values()]
    assert (event["type"], event["status"], event["attempts"]) == ("SUBSCRIPTION_ORDER", "QUEUED", 0)
    assert (event["productId"], event["accountId"], event["sequence"]) == ("P-1", "A-1", 1)
    assert (event["consumed"], event["successful"], event["error"]) == (False, False, None)
    assert isinstance(event["createdOn"], int)
    assert event["createdAt"] == iso_ms(event["createdOn"])
    assert event["eventUrl"] == made["eventUrl"]


async def test_a_failed_attempt_is_told_with_the_time_of_the_next(api: Api) -> None:
    made = await api.emit()
    await WorkerHand(api).settle(made["id"], Status.RETRYING, delay_ms=60_000)
    event = await api.json("GET", f"/v1/events/{made['id']}", 200)
    assert (event["status"], event["attempts"]) == ("RETRYING", 1)
    assert event["error"] == {"code": "UNKNOWN_ERROR", "message": "answered 500"}
    assert event["nextAttemptAt"].endswith("Z")
    (attempt,) = await api.json("GET", f"/v1/events/{made['id']}/attempts", 200)
    assert attempt == {
        "n": 1,
        "startedAt": "2023-11-14T22:13:20.123Z",
        "durationMs": 12.5,
        "url": "https://host.example/hook",
        "httpStatus": 500,
        "outcome": "HTTP_ERROR",
        "errorCode": None,
        "errorDetail": None,
        "responseBody": "oh",
        "tokenFetched": False,
        "resent": False,
        "worker": "hand",
        "phases": None,
        "responseHeaders": None,
    }
    why = await api.json("GET", f"/v1/events/{made['id']}/explain", 200)
    assert (why["status"], why["reason"]) == ("RETRYING", "retry_planned")
    assert why["until"] == event["nextAttemptAt"]
    assert why["until"] in why["text"]


async def test_explanation_names_the_event_that_blocks(api: Api) -> None:
    first, second = await api.emit(), await api.emit()
    why = await api.json("GET", f"/v1/events/{second['id']}/explain", 200)
    assert (why["reason"], why["blockedBy"]) == ("behind_event", first["id"])
    assert first["id"] in why["text"]


async def test_an_explanation_follows_what_holds_an_event_back_to_its_root(api: Api) -> None:
    first, *_, last = [await api.emit() for _ in range(4)]
    root = await api.json("GET", f"/v1/events/{first['id']}/explain", 200)
    why = await api.json("GET", f"/v1/events/{last['id']}/explain", 200)
    assert (why["blockedBy"], why["cause"]) == (first["id"], root)
    assert why["text"].endswith(f"The event in front: {root['text']}")
    assert "cause" not in root


@pytest.mark.parametrize("detail", [GONE, INTEGRATION_DELETED, None, "HTTP 500"])
def test_only_an_event_whose_attempts_are_used_up_is_said_to_be_one(detail: str | None) -> None:
    """Symptom: one 410, and "every attempt has been used up"."""
    text = sentence(Explanation(Status.DEAD, Reason.DEAD, detail=detail))
    assert ("used up" in text) is (detail not in (GONE, INTEGRATION_DELETED))
    assert detail is None or detail in text


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    assert SENTENCES[reason].endswith(".")
    assert sentence(Explanation(Status.QUEUED, reason)) == SENTENCES[reason]
    text = sentence(Explanation(Status.QUEUED, reason, until_ms=0, blocked_by="e-1", detail="more."))
    assert text.startswith(SENTENCES[reason]) is (reason is not Reason.IN_FLIGHT)
    assert "e-1" in text
    assert "1970-01-01T00:00:00.000Z" in text
    assert text.endswith("more.")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "event_id", ["x", "0190b0a0-0000-7000-8000-000000000000", "0190b0a0-0000-7000-8000-000000000fff"]
)
async def test_bi17_ids_that_are_not_ours_are_not_found(api: Api, event_id: str, suffix: str) -> None:
    await api.refused("GET", f"/v1/events/{event_id}{suffix}", 404, "not_found")


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_bi35_anothers_event_is_not_found(api: Api, suffix: str) -> None:
    made = await api.emit(accountId="A-1")
    headers = await api.bearer_of_new("events:read", account_id="A-2")
    await api.refused("GET", f"/v1/events/{made['id']}{suffix}", 404, "not_found", headers=headers)
    own = await api.bearer_of_new("events:read", account_id="A-1")
    assert (await api.ask("GET", f"/v1/events/{made['id']}{suffix}", headers=own)).status == 200


async def test_wait_answers_as_soon_as_the_event_ends(api: Api) -> None:
    made = await api.emit()
    hand = WorkerHand(api)

    async def end_later() -> None:
        await asyncio.sleep(0.3)
        await hand.settle(made["id"], Status.SUCCEEDED, http_status=200)

    began = time.perf_counter()
    event, _ = await asyncio.gather(api.json("GET", f"/v1/events/{made['id']}?wait=30", 200), end_later())
    assert event["status"] == "SUCCEEDED"
    assert (event["consumed"], event["successful"]) == (True, True)
    assert time.perf_counter() - began < 20


async def test_wait_ends_although_the_event_does_not(api: Api) -> None:
    made = await api.emit()
    began = time.perf_counter()
    event = await api.json("GET", f"/v1/events/{made['id']}?wait=1", 200)
    assert event["status"] == "QUEUED"
    assert 0.9 < time.perf_counter() - began < 20


@pytest.mark.parametrize("wait", ["-1", "31", "abc", "1.5", "", "٣"])
async def test_wait_has_bounds(api: Api, wait: str) -> None:
    made = await api.emit()
    await api.refused("GET", f"/v1/events/{made['id']}", 400, "invalid_parameter", "wait", params={"wait": wait})


async def ids(api: Api, **params: str) -> list[str]:
    body = await api.json("GET", "/v1/events", 200, params=params)
    return [event["id"] for event in body["data"]]


async def test_list_is_newest_first_and_paged(api: Api) -> None:
    made = [(await api.emit(accountId=f"A-{n}"))["id"] for n in range(5)]
    first = await api.json("GET", "/v1/events?limit=3", 200)
    rest = await api.json("GET", "/v1/events", 200, params={"limit": "3", "cursor": first["nextCursor"]})
    assert [event["id"] for event in first["data"] + rest["data"]] == made[::-1]
    assert rest["nextCursor"] is None
    assert await ids(api, page="2", size="2") == made[::-1][2:4]
    assert await ids(api, page="9", size="2") == []


async def test_list_filters_by_everything(api: Api) -> None:
    other = await publish(api.services, Revision(urls={}), products=("P-2",))
    one = (await api.emit(accountId="A"))["id"]
    two = (await api.emit(type="cancel", accountId="B", productId="P-2"))["id"]
    await WorkerHand(api).settle(one, Status.DEAD)
    assert await ids(api) == [two, one]
    assert await ids(api, status="DEAD") == [one]
    assert await ids(api, status="dead,QUEUED") == [two, one]
    assert await ids(api, type="cancel") == [two]
    assert await ids(api, type="SUBSCRIPTION_ORDER") == [one]
    assert await ids(api, accountId="B") == [two]
    assert await ids(api, productId="P-1") == [one]
    assert await ids(api, integrationId=other.id) == [two]
    assert await ids(api, accountId="nobody") == []
    repeated = await api.json("GET", "/v1/events?status=DEAD&status=QUEUED", 200)
    assert len(repeated["data"]) == 2


@pytest.mark.parametrize(("since", "until"), [("from", "to"), ("fromDate", "toDate")])
async def test_list_filters_by_time_in_both_forms(api: Api, since: str, until: str) -> None:
    made = (await api.emit())["id"]
    for past, future in (("2020-01-01T00:00:00.000Z", "2100-01-01T00:00:00+02:00"), ("1", "4102444800000")):
        assert await ids(api, **{since: past, until: future}) == [made]
        assert await ids(api, **{since: future}) == []
        assert await ids(api, **{until: past}) == []


BAD_QUERIES = [
    ("limit", "0"),
    ("limit", "-1"),
    ("limit", "1000000000"),
    ("limit", "abc"),
    ("size", "1001"),
    ("page", "0"),
    ("page", "100000"),
    ("status", "LOST"),
    ("type", "explode"),
    ("from", "yesterday"),
    ("to", "99999999999999999"),
    ("from", "2020-13-01T00:00:00Z"),
    ("fromDate", "1e5"),
    ("accountId", "x" * 256),
    ("productId", "a\0b"),
    ("q", " "),
    *((name, "") for name in ("productId", "accountId", "integrationId", "status", "type")),
    *((name, "") for name in ("from", "to", "fromDate", "toDate")),
    ("status", " , "),
]


@pytest.mark.parametrize(("name", "value"), BAD_QUERIES)
async def test_bi47_bad_parameters_are_refused_by_name(api: Api, name: str, value: str) -> None:
    await api.refused("GET", "/v1/events", 400, "invalid_parameter", name, params={name: value})


@pytest.mark.parametrize("cursor", ["", "forged", "AAAA", "!!", "MS0x", "x" * 5000])
async def test_bi47_forged_cursors_are_refused(api: Api, cursor: str) -> None:
    await api.refused("GET", "/v1/events", 400, "invalid_cursor", "cursor", params={"cursor": cursor})


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/events", "statuss"),
        ("/v1/events", "Status"),
        ("/v1/events/stream", "acountId"),
        ("/v1/events/nothing", "wiat"),
        ("/v1/audit", "client"),
        ("/v1/queue", "lane"),
        ("/v1/clients", "limit"),
        ("/v1/retry-preview", "max_age"),
    ],
)
async def test_a_parameter_that_there_is_not_is_refused_and_not_ignored(api: Api, path: str, name: str) -> None:
    await api.refused("GET", path, 400, "invalid_parameter", name, params={name: "DEAD"})


@pytest.mark.parametrize(
    ("path", "name"), [("/v1/events", "limit"), ("/v1/events", "accountId"), ("/v1/events/no", "wait")]
)
async def test_a_parameter_that_is_given_twice_is_refused(api: Api, path: str, name: str) -> None:
    await api.refused("GET", f"{path}?{name}=1&{name}=2", 400, "invalid_parameter", name)


async def test_lists_may_be_given_piece_by_piece(api: Api) -> None:
    await api.json("GET", "/v1/events?status=DEAD&status=FAILED&type=create&type=cancel", 200)


@pytest.mark.parametrize("query", ["accountId=%ff", "accountId=a%C3", "%ff=1", "status=%ED%A0%80"])
async def test_a_query_that_is_no_utf8_is_refused(api: Api, query: str) -> None:
    await api.refused("GET", f"/v1/events?{query}", 400, "invalid_parameter")


async def test_whoever_may_not_read_is_not_told_of_parameters(api: Api) -> None:
    answer = await api.http.get("/v1/events", params={"statuss": "DEAD"})
    assert answer.status == 401


def test_every_route_that_is_read_knows_the_parameters_of_its_document() -> None:
    known = {route.path: tuple(known_parameters(route)) for route in api_routes() if route.method == "GET"}
    assert known["/v1/events"][:2] == ("status", "type")
    assert {"fromDate", "toDate", "page", "size", "cursor", "limit"} <= set(known["/v1/events"])
    assert known["/v1/events/stream"] == ("status", "type", "accountId", "integrationId", "q", "lastEventId")


async def test_account_clients_list_their_account_only(api: Api) -> None:
    mine = (await api.emit(accountId="A-1"))["id"]
    await api.emit(accountId="A-2")
    headers = await api.bearer_of_new("events:read", account_id="A-1")
    for params in ({}, {"accountId": "A-1"}):
        body = await api.json("GET", "/v1/events", 200, headers=headers, params=params)
        assert [event["id"] for event in body["data"]] == [mine]
    body = await api.json("GET", "/v1/events", 200, headers=headers, params={"accountId": "A-2"})
    assert body == {"data": [], "nextCursor": None}


@pytest.mark.parametrize(("page", "size"), [("4000", "1"), ("1002", "1"), ("22", "50"), ("3", "1000")])
async def test_a_page_far_behind_is_refused_and_names_the_cursor(api: Api, page: str, size: str) -> None:
    params = {"page": page, "size": size}
    body = await api.refused("GET", "/v1/events", 400, "invalid_parameter", "page", params=params)
    assert "nextCursor" in body["errors"][0]["message"]


async def test_a_page_costs_two_looks_whatever_its_number(api: Api) -> None:
    made = [(await api.emit(accountId=f"A-{n}"))["id"] for n in range(9)]
    assert await ids(api, page="9", size="1") == made[:1]
    costs = []
    for _ in range(5):  # what goes on beside it is counted, too
        async with counted(api.redis) as commands:
            assert await ids(api, page="8", size="1") == made[1:2]
        costs.append(commands.calls["evalsha"])
    assert min(costs) == 2 * api.services.queue.partitions
