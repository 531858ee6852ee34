"""POST /v1/events: what is accepted, and every way to be refused."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import orjson
import pytest
from multidict import CIMultiDict

from dispatcher.ids import new_uuid
from dispatcher.model.integration import OrderFormField, Revision
from dispatcher.store.keys import definitions as keys
from tests.api.conftest import PRODUCT, Api, publish

JSON = {"Content-Type": "application/json"}
VALID = {"type": "create", "productId": "P-1", "accountId": "A"}


async def post(api: Api, raw: bytes, status: int, code: str, field: str | None = None, **headers: str) -> None:
    given = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    await api.refused("POST", "/v1/events", status, code, field, data=raw, headers=given)


async def test_bi1_valid_event_is_accepted_with_its_address(api: Api) -> None:
    answer = await api.ask("POST", "/v1/events", json=VALID)
    body = await answer.json()
    assert answer.status == 202
    assert body == {
        "id": body["id"],
        "eventUrl": f"https://dispatcher.example/api/integration/v1/events/{body['id']}",
        "status": "QUEUED",
    }
    assert answer.headers["Location"] == f"https://dispatcher.example/v1/events/{body['id']}"
    assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("name", ["create", "SUBSCRIPTION_ORDER", "upgrade", "cancel", "assign", "ADDON_BIND"])
async def test_short_and_full_type_names_are_accepted(api: Api, name: str) -> None:
    await api.emit(type=name)


UNREADABLE: dict[str, tuple[bytes, int, str]] = {
    "bi2_empty_body": (b"", 400, "invalid_json"),
    "bi3_open_brace": (b"{", 400, "invalid_json"),
    "bi4_array": (b"[]", 422, "not_an_object"),
    "bi4_null": (b"null", 422, "not_an_object"),
    "bi4_string": (b'"x"', 422, "not_an_object"),
    "bi5_nan": (b'{"payload":{"x":NaN}}', 400, "invalid_json"),
    "bi5_infinity": (b'{"payload":{"x":-Infinity}}', 400, "invalid_json"),
    "bi6_huge_exponent": (b'{"payload":{"x":1e999}}', 422, "number_out_of_range"),
    "bi7_long_integer": (b'{"payload":{"x":' + b"9" * 5000 + b"}}", 400, "invalid_json"),
    "bi8_lone_surrogate": (b'{"payload":{"x":"\\ud800"}}', 422, "invalid_string"),
    "bi10_invalid_utf8": (b'{"type":"\xff"}', 400, "invalid_json"),
    "bi10_utf16": ('{"type":"create"}'.encode("utf-16"), 400, "invalid_json"),
    "bi10_bom": (b"\xef\xbb\xbf{}", 400, "invalid_json"),
    "bi11_duplicate_key": (b'{"type":"create","type":"cancel"}', 400, "duplicate_key"),
    "bi12_very_deep": (b'{"payload":' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "too_deep"),
    "bi13_depth_65": (b'{"payload":' + b'{"a":' * 64 + b"1" + b"}" * 65, 400, "too_deep"),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_body_that_cannot_be_read_is_refused(api: Api, name: str) -> None:
    raw, status, code = UNREADABLE[name]
    await post(api, raw, status, code)


UNPROCESSABLE: dict[str, tuple[dict[str, Any], str, str]] = {
    "bi9_nul_in_type": ({"type": "cre\0ate"}, "invalid_value", "type"),
    "bi9_nul_in_id": ({"productId": "P\0"}, "invalid_value", "productId"),
    "bi14_unknown_field": ({"prodcutId": "P"}, "unknown_field", "prodcutId"),
    "bi15_number_for_text": ({"productId": 1}, "wrong_type", "productId"),
    "bi15_list_for_object": ({"payload": []}, "wrong_type", "payload"),
    "bi15_text_for_creator": ({"creator": "me"}, "wrong_type", "creator"),
    "bi16_long_account": ({"accountId": "x" * 256}, "too_long", "accountId"),
    "bi16_long_product": ({"productId": "x" * 256}, "too_long", "productId"),
    "bi16_control_character": ({"accountId": "a\nb"}, "invalid_value", "accountId"),
    "bi16_empty_account": ({"accountId": ""}, "invalid_value", "accountId"),
    "bi16_unknown_type": ({"type": "explode"}, "unknown_type", "type"),
    "status_is_ours_to_send": ({"type": "SUBSCRIPTION_STATUS"}, "unknown_type", "type"),
    "stateless_is_for_pings": ({"flag": "STATELESS"}, "invalid_value", "flag"),
    "unlinked_product": ({"productId": "P-2"}, "product_not_linked", "productId"),
    "unknown_notice": (
        {"type": "notify", "payload": {"notice": {"type": "X"}}},
        "invalid_value",
        "payload.notice.type",
    ),
    "missing_notice_type": (
        {"type": "notify", "payload": {"notice": {"message": "m"}}},
        "missing_field",
        "payload.notice.type",
    ),
    "order_is_no_list": ({"payload": {"order": []}}, "wrong_type", "payload.order"),
}


@pytest.mark.parametrize("name", UNPROCESSABLE)
async def test_event_that_breaks_a_rule_is_refused_with_its_field(api: Api, name: str) -> None:
    changes, code, field = UNPROCESSABLE[name]
    await api.refused("POST", "/v1/events", 422, code, field, json=VALID | changes)


@pytest.mark.parametrize("field", ["type", "productId"])
async def test_required_field_is_named_when_it_is_missing(api: Api, field: str) -> None:
    body = {name: value for name, value in VALID.items() if name != field}
    await api.refused("POST", "/v1/events", 422, "missing_field", field, json=body)


async def test_every_problem_of_a_request_is_told_at_once(api: Api) -> None:
    body = await api.refused("POST", "/v1/events", 422, "missing_field", "type", json={"productId": 1, "x": 1})
    assert [(p["code"], p["field"]) for p in body["errors"][1:]] == [
        ("wrong_type", "productId"),
        ("unknown_field", "x"),
    ]


async def test_bi14_unknown_fields_inside_the_payload_are_kept(api: Api) -> None:
    payload = {"company": {"name": "Ä", "odd": [1, {"deep": None}]}, "extra": 18446744073709551615}
    made = await api.emit(payload=payload, creator={"uuid": "u", "more": True}, subscriptionId="S-1")
    event = await api.json("GET", f"/v1/events/{made['id']}", 200)
    assert event["payload"] == payload
    assert event["creator"] == {"uuid": "u", "more": True}
    assert event["subscriptionId"] == "S-1"


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "application/x-www-form-urlencoded", None])
async def test_bi20_other_media_types_are_refused(api: Api, media: str | None) -> None:
    headers = {"Content-Type": media} if media else {}
    skip = ["Content-Type"] if media is None else []
    answer = await api.ask("POST", "/v1/events", data=b"{}", headers=headers, skip_auto_headers=skip)
    assert answer.status == 415
    assert (await answer.json())["errors"][0]["code"] == "unsupported_media_type"


async def test_bi21_unknown_charset_is_refused(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=nope"}
    await api.refused("POST", "/v1/events", 415, "unsupported_charset", "Content-Type", data=b"{}", headers=headers)


async def test_utf8_may_be_named(api: Api) -> None:
    headers = {"Content-Type": 'application/json; charset="UTF-8"'}
    assert (await api.ask("POST", "/v1/events", data=orjson.dumps(VALID), headers=headers)).status == 202


@pytest.mark.parametrize("name", ["gzip", "GZIP", "x-gzip", "X-GZip"])
async def test_bi22_gzip_is_read(api: Api, name: str) -> None:
    headers = JSON | {"Content-Encoding": name}
    answer = await api.ask("POST", "/v1/events", data=gzip.compress(orjson.dumps(VALID)), headers=headers)
    assert answer.status == 202


@pytest.mark.parametrize(
    "raw",
    [b"not gzip", gzip.compress(b"{}", mtime=0)[:-4], gzip.compress(b"{}", mtime=0) + b"x", b""],
    ids=["not gzip", "cut off", "more behind it", "nothing"],
)
async def test_bi23_broken_gzip_is_refused(api: Api, raw: bytes) -> None:
    await post(api, raw, 400, "invalid_encoding", Content_Encoding="gzip")


async def test_bi24_gzip_bomb_is_refused_after_the_limit(api: Api) -> None:
    await post(api, gzip.compress(b" " * 50_000_000, mtime=0), 413, "body_too_large", Content_Encoding="gzip")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip"])
async def test_bi25_other_encodings_are_refused(api: Api, encoding: str) -> None:
    await post(api, b"{}", 415, "unsupported_encoding", "Content-Encoding", Content_Encoding=encoding)


async def test_bi39_same_key_and_body_give_the_same_event(api: Api) -> None:
    key = {"Idempotency-Key": new_uuid()}
    first = await api.ask("POST", "/v1/events", json=VALID, headers=key)
    again = await api.ask("POST", "/v1/events", json=VALID, headers=key)
    assert (first.status, again.status) == (202, 202)
    assert await first.json() == await again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await api.json("GET", "/v1/events", 200))["data"]) == 1


async def test_bi40_same_key_with_another_body_is_a_conflict(api: Api) -> None:
    key = {"Idempotency-Key": new_uuid()}
    await api.emit(headers=key)
    body = VALID | {"accountId": "B"}
    await api.refused("POST", "/v1/events", 409, "idempotency_conflict", "Idempotency-Key", json=body, headers=key)


async def test_ft40_fifty_at_once_with_one_key_make_one_event(api: Api) -> None:
    key = {"Idempotency-Key": new_uuid()}
    answers = await asyncio.gather(*(api.emit(headers=key) for _ in range(50)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len((await api.json("GET", "/v1/events", 200))["data"]) == 1


async def test_a_key_belongs_to_its_client(api: Api) -> None:
    key = {"Idempotency-Key": "same"}
    mine = await api.emit(headers=key)
    other = await api.emit(headers=key | await api.bearer_of_new("events:write"))
    assert mine["id"] != other["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel"])
async def test_bi41_bad_idempotency_key_is_refused(api: Api, key: str) -> None:
    headers = {"Idempotency-Key": key}
    field = "Idempotency-Key"
    await api.refused("POST", "/v1/events", 400, "invalid_idempotency_key", field, json=VALID, headers=headers)


async def test_bi41_two_idempotency_keys_are_refused(api: Api) -> None:
    two = [*api.headers.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = await api.http.post("/v1/events", json=VALID, headers=CIMultiDict(two))
    assert (answer.status, (await answer.json())["errors"][0]["code"]) == (400, "invalid_idempotency_key")


async def test_purchase_form_must_be_answered_when_it_is_required(api: Api) -> None:
    fields = (OrderFormField("domain", required=True), OrderFormField("note"))
    revision = Revision(urls={}, order_require_form_fields=True, order_form_fields=fields)
    await publish(api.services, revision, products=("P-form",))
    asked = {"type": "create", "productId": "P-form"}
    unanswered: list[dict[str, Any] | None] = [None, {}, {"configuration": []}, {"configuration": {"domain": ""}}]
    for payload in unanswered:
        body = asked | ({"payload": payload} if payload is not None else {})
        await api.refused("POST", "/v1/events", 422, "missing_field", "payload.configuration.domain", json=body)
    await api.emit(productId="P-form", payload={"configuration": {"domain": "x.example"}})
    await api.emit(productId="P-form", type="upgrade")


async def test_development_flag_uses_the_working_version(api: Api) -> None:
    made = await api.emit(flag="DEVELOPMENT")
    event = await api.json("GET", f"/v1/events/{made['id']}", 200)
    assert (event["revision"], event["flag"]) == (None, "DEVELOPMENT")
    plain = await api.json("GET", f"/v1/events/{(await api.emit())['id']}", 200)
    assert (plain["revision"], plain["flag"]) == (1, None)


async def test_events_of_one_account_are_numbered_and_those_without_are_not(api: Api) -> None:
    ids = [(await api.emit(accountId=account))["id"] for account in ("A", "A", None)]
    events = [await api.json("GET", f"/v1/events/{one}", 200) for one in ids]
    assert [event["sequence"] for event in events] == [1, 2, 0]
    assert events[2]["accountId"] is None


async def test_a_client_of_one_account_emits_for_that_account_only(api: Api) -> None:
    headers = await api.bearer_of_new("events:write", "events:read", account_id="A-9")
    made = await api.emit(headers=headers, accountId=None)
    assert (await api.json("GET", f"/v1/events/{made['id']}", 200))["accountId"] == "A-9"
    await api.emit(headers=headers, accountId="A-9")
    body = VALID | {"accountId": "A-8"}
    await api.refused("POST", "/v1/events", 403, "account_restricted", "accountId", json=body, headers=headers)


async def test_a_receipt_has_the_same_headers_whether_its_connection_stays_or_not(api: Api) -> None:
    body = {"type": "create", "productId": PRODUCT}
    stays = await api.ask("POST", "/v1/events", json=body)
    ends = await api.ask("POST", "/v1/events", json=body, headers={"Connection": "close"})
    assert (stays.status, ends.status) == (202, 202)
    assert {*stays.headers, "Connection"} == {*ends.headers}
    assert ends.headers["Connection"] == "close"
    for answer in (stays, ends):
        assert answer.headers["Content-Type"] == "application/json"
        assert int(answer.headers["Content-Length"]) == len(await answer.read())


async def test_a_definition_that_some_hand_broke_is_named_and_is_no_error_of_ours(api: Api) -> None:
    made = await publish(api.services, Revision(urls={}), products=("P-9",))
    await api.redis.set(keys.definition(made.id), b'{"id":"broken"')
    body = await api.refused("POST", "/v1/events", 503, "store_damaged", json=VALID | {"productId": "P-9"})
    assert body["errors"][0]["message"].startswith("Nothing was changed: A stored definition cannot be read")
    query = f'{{ productIntegration(id: "{made.id}") {{ name }} }}'
    answer = await api.json("POST", "/graphql", 200, json={"query": query})
    assert answer["errors"][0]["extensions"]["code"] == "store_damaged"
