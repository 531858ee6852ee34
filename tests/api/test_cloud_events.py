"""CloudEvents 1.0 at POST /v1/events: written by the SDK of the CloudEvents project, and every way to be refused."""

from __future__ import annotations

from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from dispatcher.model.integration import Revision
from tests.api.conftest import PRODUCT, Api, publish

BATCH = {"Content-Type": "application/cloudevents-batch+json"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
VALID: dict[str, Any] = {
    "specversion": "1.0",
    "id": "4711",
    "source": "/orders",
    "type": "create",
    "productid": PRODUCT,
    "accountid": "A-1",
}


def made(**attributes: Any) -> CloudEvent:
    """An order as the SDK makes it."""
    given = {"datacontenttype": "application/json", **VALID, **attributes}
    return CloudEvent(attributes=given, data={"order": {"editionCode": "Größe"}})


async def sent(api: Api, message: HTTPMessage, expected: int = 202) -> Any:
    answer = await api.ask("POST", "/v1/events", data=message.body, headers=message.headers)
    body = await answer.json()
    assert answer.status == expected, body
    return body, answer.headers.get("Idempotency-Replayed")


@pytest.mark.parametrize("write", [to_structured_event, to_binary_event], ids=["structured", "binary"])
async def test_what_the_sdk_sends_is_accepted_with_its_attributes(api: Api, write: Any) -> None:
    event = made(type="com.example.SUBSCRIPTION_ORDER", accountid="Käufer 7", subscriptionid="S-1", traceparent=TRACE)
    body, replayed = await sent(api, write(event))
    assert replayed is None
    found = await api.json("GET", f"/v1/events/{body['id']}", 200)
    assert (found["type"], found["productId"], found["accountId"]) == ("SUBSCRIPTION_ORDER", PRODUCT, "Käufer 7")
    assert (found["subscriptionId"], found["payload"]) == ("S-1", {"order": {"editionCode": "Größe"}})
    stored = await api.services.queue.get(body["id"])
    assert stored is not None
    assert stored.event.trace == TRACE


async def test_source_and_id_are_the_idempotency_key_in_either_mode(api: Api) -> None:
    first, _ = await sent(api, to_structured_event(made()))
    again, replayed = await sent(api, to_binary_event(made(subject="something else to say")))
    assert (again["id"], replayed) == (first["id"], "true")
    other, replayed = await sent(api, to_structured_event(made(source="/other")))
    assert (other["id"] != first["id"], replayed) == (True, None)
    conflict = to_structured_event(made(accountid="A-2"))
    headers = conflict.headers
    await api.refused("POST", "/v1/events", 409, "idempotency_conflict", "id", data=conflict.body, headers=headers)


async def test_a_batch_may_be_repeated_and_keeps_its_order(api: Api) -> None:
    items = [VALID | {"id": str(n), "type": "upgrade"} for n in range(20)]
    first = await api.json("POST", "/v1/events/batch", 200, json=items, headers=BATCH)
    ids = [one["id"] for one in first["results"]]
    stored = [await api.services.queue.get(one) for one in ids]
    assert [one.state.sequence for one in stored if one] == list(range(1, 21))
    longer = [*items, VALID | {"id": "20"}, VALID | {"id": "20"}]
    again = await api.json("POST", "/v1/events/batch", 200, json=longer, headers=BATCH)
    assert [one["id"] for one in again["results"][:20]] == ids
    assert again["results"][20]["id"] == again["results"][21]["id"]
    assert len((await api.json("GET", "/v1/events", 200))["data"]) == 21


async def test_items_of_a_batch_are_refused_one_by_one(api: Api) -> None:
    items = [VALID, 7, VALID | {"id": "2", "type": "nothing"}, VALID | {"productid": "P-9", "id": "3"}]
    items += [VALID | {"accountid": "other"}]
    answer = await api.json("POST", "/v1/events/batch", 200, json=items, headers=BATCH)
    found = [(one["status"], one.get("errors", [{"field": None}])[0]["field"]) for one in answer["results"]]
    assert found == [(202, None), (422, None), (422, "type"), (422, "productid"), (409, "id")]


REFUSED: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "no_specversion": ({"specversion": None}, "invalid_value", "specversion"),
    "another_specversion": ({"specversion": "0.3"}, "invalid_value", "specversion"),
    "empty_id": ({"id": ""}, "invalid_value", "id"),
    "no_source": ({"source": None}, "wrong_type", "source"),
    "type_of_nobody": ({"type": "com.example.order.created"}, "unknown_type", "type"),
    "type_that_is_not_emitted": ({"type": "SUBSCRIPTION_STATUS"}, "unknown_type", "type"),
    "camel_case": ({"productId": "P-1"}, "invalid_attribute", "productId"),
    "number_for_account": ({"accountid": 7}, "wrong_type", "accountid"),
    "control_character": ({"accountid": "a\nb"}, "invalid_value", "accountid"),
    "unlinked_product": ({"productid": "P-9"}, "product_not_linked", "productid"),
    "time_of_no_calendar": ({"time": "yesterday"}, "invalid_value", "time"),
    "data_of_another_kind": ({"datacontenttype": "text/xml"}, "invalid_value", "datacontenttype"),
    "text_for_data": ({"data": "text"}, "wrong_type", "data"),
    "bytes_for_data": ({"data_base64": "AA=="}, "invalid_attribute", "data_base64"),
    "other_flag": ({"flag": "STATELESS"}, "invalid_value", "flag"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_an_error_names_the_attribute(api: Api, name: str) -> None:
    changed, code, field = REFUSED[name]
    await api.refused("POST", "/v1/events", 422, code, field, json=VALID | changed, headers=STRUCTURED)


async def test_data_that_breaks_a_schema_is_named_by_its_path_in_data(api: Api) -> None:
    checked = Revision(urls={"createUrl": "https://host.example/hook"}, validate_payloads=True)
    await publish(api.services, checked, products=("P-2",))
    data = {"order": {"editionCode": "BASIC", "items": [{"unit": "USER", "quantity": "many"}]}}
    given, field = VALID | {"productid": "P-2", "data": data}, "data.order.items.0.quantity"
    await api.refused("POST", "/v1/events", 422, "invalid_value", field, json=given, headers=STRUCTURED)


@pytest.mark.parametrize(
    ("path", "media", "other"),
    [
        ("/v1/events", "application/cloudevents-batch+json", "POST /v1/events/batch"),
        ("/v1/events", "application/x-ndjson", "POST /v1/events/batch"),
        ("/v1/events/batch", "application/cloudevents+json", "POST /v1/events."),
    ],
)
async def test_a_form_that_the_other_path_takes_is_sent_there(api: Api, path: str, media: str, other: str) -> None:
    headers = {"Content-Type": media}
    body = await api.refused("POST", path, 415, "unsupported_media_type", "Content-Type", data=b"[]", headers=headers)
    assert f"{media} goes to {other}" in body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("headers", "status", "code", "field"),
    [
        ({"ce-id": "%ff"}, 400, "invalid_attribute", "ce-id"),
        ({"ce-specversion": "1.1"}, 422, "invalid_value", "specversion"),
        ({"Idempotency-Key": "k"}, 400, "idempotency_not_supported", "Idempotency-Key"),
        ({"Content-Type": "text/xml"}, 415, "unsupported_media_type", "Content-Type"),
        ({"ce-product_id": "P-1"}, 422, "invalid_attribute", "product_id"),
    ],
)
async def test_headers_of_binary_mode_are_checked(
    api: Api, headers: dict[str, str], status: int, code: str, field: str
) -> None:
    message = to_binary_event(made())
    given = message.headers | headers
    await api.refused("POST", "/v1/events", status, code, field, data=message.body, headers=given)


async def test_binary_mode_may_come_without_data(api: Api) -> None:
    headers = {f"ce-{name}": value for name, value in VALID.items()} | {"Content-Type": "application/json"}
    answer = await api.ask("POST", "/v1/events", data=b"", headers=headers)
    assert answer.status == 202


async def test_a_client_of_one_account_emits_cloud_events_for_its_own_only(api: Api) -> None:
    own = await api.bearer_of_new("events:write", account_id="A-7")
    await api.refused(
        "POST", "/v1/events", 403, "account_restricted", "accountid", json=VALID, headers=own | STRUCTURED
    )
