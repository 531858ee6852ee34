"""Redeliver, resolve, and what a product host reports."""

from __future__ import annotations

import asyncio
from typing import Any
from xml.etree import ElementTree

import pytest

from dispatcher.flow.integrations.credentials.inbound_client import generate_inbound_client
from dispatcher.model.integration import AnswerMode, Integration, Revision
from dispatcher.model.status import FAILURES, Status
from tests.api.conftest import PRODUCT, Api, publish
from tests.api.worker_hand import WorkerHand

HOST = "/api/integration/v1/events"


async def inbound(api: Api, integration_id: str) -> dict[str, str]:
    made = await generate_inbound_client(api.services.definitions, integration_id, 1)
    return await api.bearer(made.client_id, made.client_secret)


async def own(api: Api) -> Integration:
    """The integration of ``P-1``."""
    product = await api.services.definitions.product(PRODUCT)
    assert product is not None
    found = await api.services.definitions.integration(product.integration_id or "")
    assert found is not None
    return found


async def awaiting(api: Api) -> tuple[str, dict[str, str]]:
    """An event answered with 202, and its host's headers."""
    made = await api.emit()
    await WorkerHand(api).settle(made["id"], Status.AWAITING_RESULT, delay_ms=60_000, http_status=202)
    return made["id"], await inbound(api, (await own(api)).id)


@pytest.mark.parametrize("status", sorted(FAILURES - {Status.EXPIRED}))
async def test_a_failed_event_is_redelivered_to_the_url_published_now(api: Api, status: Status) -> None:
    made = await api.emit()
    await WorkerHand(api).settle(made["id"], status)
    integration = await own(api)
    revision = Revision(number=2, urls={"createUrl": "https://new.example"})
    await api.services.definitions.publish(integration, integration.modified_ms, revision)
    again = await api.json("POST", f"/v1/events/{made['id']}/redeliver", 202)
    assert (again["id"], again["status"], again["revision"]) == (made["id"], "QUEUED", 2)
    await api.refused("POST", f"/v1/events/{made['id']}/redeliver", 409, "wrong_status")


async def test_bi52_only_failed_events_are_redelivered(api: Api) -> None:
    made = await api.emit()
    path = f"/v1/events/{made['id']}/redeliver"
    await api.refused("POST", path, 409, "wrong_status")
    hand = WorkerHand(api)
    await hand.claim(made["id"])
    body = await api.refused("POST", path, 409, "wrong_status")
    assert "has not ended" in body["errors"][0]["message"]
    delivered = await api.emit(accountId="B")
    await hand.settle(delivered["id"], Status.SUCCEEDED)
    await api.refused("POST", f"/v1/events/{delivered['id']}/redeliver", 409, "wrong_status")


async def test_redeliver_racing_redeliver_happens_once(api: Api) -> None:
    made = await api.emit()
    await WorkerHand(api).settle(made["id"], Status.DEAD)
    answers = await asyncio.gather(*(api.ask("POST", f"/v1/events/{made['id']}/redeliver") for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [202] + [409] * 7


async def test_resolve_closes_an_event_once(api: Api) -> None:
    made = await api.emit()
    closed = await api.json("POST", f"/v1/events/{made['id']}/resolve", 200)
    assert (closed["status"], closed["manuallyResolved"], closed["successful"]) == ("RESOLVED", True, True)
    await api.refused("POST", f"/v1/events/{made['id']}/resolve", 409, "wrong_status")


@pytest.mark.parametrize("verb", ["redeliver", "resolve"])
async def test_actions_on_anothers_or_no_event_find_nothing(api: Api, verb: str) -> None:
    made = await api.emit()
    headers = await api.bearer_of_new("events:write", account_id="other")
    await api.refused("POST", f"/v1/events/{made['id']}/{verb}", 404, "not_found", headers=headers)
    await api.refused("POST", f"/v1/events/0190b0a0-0000-7000-8000-000000000000/{verb}", 404, "not_found")


async def test_host_reads_its_event_as_it_was_notified(api: Api) -> None:
    made = await api.emit(payload={"company": {"name": "A & <B>", "odd key": "\x0b"}})
    headers = await inbound(api, (await own(api)).id)
    body = await api.json("GET", f"{HOST}/{made['id']}", 200, headers=headers)
    assert (body["id"], body["status"], body["type"]) == (made["id"], "QUEUED", "SUBSCRIPTION_ORDER")
    assert body["marketplace"] == {"partner": "ACME", "baseUrl": "https://dispatcher.example"}
    assert (body["returnUrl"], body["links"]) == (None, [])


async def test_the_event_url_of_an_answer_is_for_whoever_may_read_the_event(api: Api) -> None:
    made = await api.emit(payload={"company": {"name": "A"}})
    path = made["eventUrl"].removeprefix("https://dispatcher.example")
    reader = await api.bearer_of_new("events:read")
    body = await api.json("GET", path, 200, headers=reader)
    assert body == await api.json("GET", path, 200, headers=await inbound(api, (await own(api)).id))
    elsewhere = await api.bearer_of_new("events:read", account_id="other")
    await api.refused("GET", path, 404, "not_found", headers=elsewhere)
    emitter = await api.bearer_of_new("events:write")
    await api.refused("GET", path, 403, "insufficient_scope", headers=emitter)
    await api.refused("POST", f"{path}/result", 403, "insufficient_scope", headers=reader, json={"success": True})


@pytest.mark.parametrize("accept", ["application/xml", "text/xml, application/json;q=0.5", "application/xml,*/*;q=0.8"])
async def test_host_reads_its_event_as_xml(api: Api, accept: str) -> None:
    made = await api.emit(payload={"company": {"name": "A & <B>", "odd key": "\x0b"}, "l": [1, 2]})
    headers = await inbound(api, (await own(api)).id) | {"Accept": accept}
    answer = await api.ask("GET", f"{HOST}/{made['id']}", headers=headers)
    assert answer.content_type == "application/xml"
    root = ElementTree.fromstring(await answer.text())
    assert root.tag == "event"
    assert root.findtext("id") == made["id"]
    assert root.findtext("payload/company/name") == "A & <B>"
    assert root.findtext("payload/company/entry[@key='odd key']") == "\ufffd"
    assert [item.text for item in root.findall("payload/l/item")] == ["1", "2"]


async def test_an_events_xml_is_what_hosts_of_such_marketplaces_parse(api: Api) -> None:
    items = [{"unit": "USER", "quantity": 25}, {"unit": "GIGABYTE", "quantity": 1.5}]
    order = {"editionCode": "BASIC", "items": items, "customAttributes": [{"a": 1}]}
    configuration = {"domain": "a.example", "two words": "line\r\nend", "none": None, "items": ["x"]}
    made = await api.emit(payload={"order": order, "configuration": configuration, "items": [1], "empty": {}})
    headers = await inbound(api, (await own(api)).id) | {"Accept": "application/xml"}
    answer = await api.ask("GET", f"{HOST}/{made['id']}", headers=headers)
    text = await answer.text()
    payload = ElementTree.fromstring(text).find("payload")
    assert payload is not None
    assert [(one.findtext("unit"), one.findtext("quantity")) for one in payload.findall("order/item")] == [
        ("USER", "25"),
        ("GIGABYTE", "1.5"),
    ]
    assert payload.find("order/items") is None
    assert payload.findtext("order/customAttributes/item/a") == "1"
    assert payload.findtext("items/item") == "1"
    entries = {one.findtext("key"): one.find("value") for one in payload.findall("configuration/entry")}
    assert list(entries) == ["domain", "two words", "none", "items"]
    assert entries["two words"] is not None
    assert entries["two words"].text == "line\r\nend"
    assert "line&#13;\nend" in text
    assert entries["items"] is not None
    assert entries["items"].findtext("item") == "x"


@pytest.mark.parametrize("accept", ["application/xml", "application/json"])
async def test_an_answer_that_depends_on_accept_says_so(api: Api, accept: str) -> None:
    made = await api.emit()
    headers = await inbound(api, (await own(api)).id) | {"Accept": accept}
    assert (await api.ask("GET", f"{HOST}/{made['id']}", headers=headers)).headers["Vary"] == "Accept"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/*", "text/html", "application/xml;q=0"])
async def test_json_is_the_default(api: Api, accept: str) -> None:
    made = await api.emit()
    headers = await inbound(api, (await own(api)).id) | {"Accept": accept}
    assert (await api.ask("GET", f"{HOST}/{made['id']}", headers=headers)).content_type == "application/json"


RESULTS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"success": True, "accountIdentifier": "X-1"}, "SUCCEEDED", {"accountIdentifier": "X-1", "successful": True}),
    ({"success": "true", "userIdentifier": "ignored"}, "SUCCEEDED", {"successful": True}),
    (
        {"success": "false", "errorCode": "USER_NOT_FOUND", "message": "who?"},
        "FAILED",
        {"error": {"code": "USER_NOT_FOUND", "message": "who?"}},
    ),
    (
        {"success": False, "errorCode": "bogus"},
        "FAILED",
        {"error": {"code": "UNKNOWN_ERROR", "message": "bogus"}},
    ),
    (
        {"success": False, "errorCode": "QUOTA_9", "message": "full"},
        "FAILED",
        {"error": {"code": "UNKNOWN_ERROR", "message": "QUOTA_9: full"}},
    ),
    (
        {"success": False, "errorCode": "operation_canceled"},
        "FAILED",
        {"error": {"code": "OPERATION_CANCELLED", "message": None}},
    ),
    ({"success": False}, "FAILED", {"error": {"code": "UNKNOWN_ERROR", "message": None}}),
    ({"success": True, "errorCode": "FORBIDDEN", "message": "oh"}, "SUCCEEDED", {"error": None, "successful": True}),
]


@pytest.mark.parametrize(("result", "status", "expected"), RESULTS)
async def test_reported_result_ends_the_event_once(
    api: Api, result: dict[str, Any], status: str, expected: dict[str, Any]
) -> None:
    event_id, headers = await awaiting(api)
    before = await api.json("GET", f"/v1/events/{event_id}", 200)
    assert before["resultDeadline"].endswith("Z")
    body = await api.json("POST", f"{HOST}/{event_id}/result", 200, json=result, headers=headers)
    assert body["status"] == status
    assert {name: body[name] for name in expected} == expected
    await api.refused("POST", f"{HOST}/{event_id}/result", 409, "wrong_status", json=result, headers=headers)


@pytest.mark.parametrize("code", ["PENDING", "pending_remote_creation"])
async def test_reported_pending_is_noted_and_the_result_still_awaited(api: Api, code: str) -> None:
    event_id, headers = await awaiting(api)
    before = await api.json("GET", f"/v1/events/{event_id}", 200)
    pending = {"success": False, "errorCode": code, "message": "ask Ann"}
    for _ in range(2):
        body = await api.json("POST", f"{HOST}/{event_id}/result", 200, json=pending, headers=headers)
        assert (body["status"], body["consumed"]) == ("AWAITING_RESULT", False)
        assert body["error"] == {"code": "PENDING", "message": "ask Ann"}
        assert body["resultDeadline"] == before["resultDeadline"]
    path = f"{HOST}/{event_id}/result"
    ended = await api.json("POST", path, 200, json={"success": True}, headers=headers)
    assert (ended["status"], ended["error"]) == ("SUCCEEDED", None)
    await api.refused("POST", path, 409, "wrong_status", json=pending, headers=headers)


async def test_reported_pending_that_overtakes_the_202_leaves_the_attempt_alone(api: Api) -> None:
    made = await api.emit()
    headers, hand = await inbound(api, (await own(api)).id), WorkerHand(api)
    path, pending = f"{HOST}/{made['id']}/result", {"success": False, "errorCode": "PENDING"}
    await api.refused("POST", path, 409, "wrong_status", json=pending, headers=headers)
    await hand.claim(made["id"])
    body = await api.json("POST", path, 200, json=pending, headers=headers)
    assert (body["status"], body["error"]) == ("DELIVERING", None)


async def test_reported_result_of_a_strict_integration_is_read_as_strictly_as_its_answers(api: Api) -> None:
    strict = Revision(urls={"createUrl": "https://h.example"}, answers=AnswerMode.RESULT)
    integration = await publish(api.services, strict, products=("P-strict",))
    headers, hand = await inbound(api, integration.id), WorkerHand(api)
    for identifier, status in ((None, "FAILED"), ("A-1", "SUCCEEDED")):
        made = await api.emit(productId="P-strict")
        await hand.settle(made["id"], Status.AWAITING_RESULT, delay_ms=60_000, http_status=202)
        result = {"success": True, "accountIdentifier": identifier}
        body = await api.json("POST", f"{HOST}/{made['id']}/result", 200, json=result, headers=headers)
        assert (body["status"], body["accountIdentifier"]) == (status, identifier)


async def test_result_without_being_awaited_is_a_conflict(api: Api) -> None:
    made = await api.emit()
    headers = await inbound(api, (await own(api)).id)
    await api.refused(
        "POST", f"{HOST}/{made['id']}/result", 409, "wrong_status", json={"success": True}, headers=headers
    )


@pytest.mark.parametrize(
    ("result", "code", "field"),
    [
        ({}, "missing_field", "success"),
        ({"success": "yes"}, "wrong_type", "success"),
        ({"success": 1}, "wrong_type", "success"),
        ({"success": True, "errorCode": 5}, "wrong_type", "errorCode"),
        ({"success": True, "message": "x" * 5000}, "too_long", "message"),
    ],
)
async def test_unreadable_result_is_refused_and_the_event_still_awaits(
    api: Api, result: dict[str, Any], code: str, field: str
) -> None:
    event_id, headers = await awaiting(api)
    answer = await api.ask("POST", f"{HOST}/{event_id}/result", json=result, headers=headers)
    first = (await answer.json())["errors"][0]
    assert answer.status == 422
    assert (first["code"], first["field"]) == (code, field)
    assert (await api.json("GET", f"/v1/events/{event_id}", 200))["status"] == "AWAITING_RESULT"


async def test_another_vendors_event_is_forbidden_and_an_unknown_one_not_found(api: Api) -> None:
    event_id, _ = await awaiting(api)
    stranger = await inbound(api, (await publish(api.services, Revision(urls={}))).id)
    body = {"success": True}
    await api.refused("GET", f"{HOST}/{event_id}", 403, "not_your_event", headers=stranger)
    await api.refused("POST", f"{HOST}/{event_id}/result", 403, "not_your_event", headers=stranger, json=body)
    unknown = "0190b0a0-0000-7000-8000-000000000000"
    await api.refused("GET", f"{HOST}/{unknown}", 404, "not_found", headers=stranger)
    await api.refused("POST", f"{HOST}/{unknown}/result", 404, "not_found", headers=stranger, json=body)
    await api.refused("GET", f"/v1/events/{event_id}", 403, "insufficient_scope", headers=stranger)


async def test_resolving_tells_the_status_url(api: Api) -> None:
    urls = {"createUrl": "https://h.example", "eventStatusUrl": "https://h.example/status"}
    await publish(api.services, Revision(urls=urls), products=("P-status",))
    made = await api.emit(productId="P-status")
    await api.json("POST", f"/v1/events/{made['id']}/resolve", 200)
    page = await api.json("GET", "/v1/events?type=SUBSCRIPTION_STATUS", 200)
    (notice,) = page["data"]
    assert notice["payload"]["event"]["id"] == made["id"]
    assert notice["payload"]["event"]["status"] == "RESOLVED"
