"""POST /v1/events/batch: one result for each item, in its place."""

from __future__ import annotations

import orjson

from tests.api.conftest import PRODUCT, Api
from tests.store_commands import counted

NDJSON = {"Content-Type": "application/x-ndjson"}
GOOD = {"type": "create", "productId": "P-1", "accountId": "A"}
PATH = "/v1/events/batch"


async def test_good_items_are_accepted_although_others_are_not(api: Api) -> None:
    items = [GOOD, {"type": "nope", "productId": "P-1"}, 7, GOOD]
    results = (await api.json("POST", PATH, 200, json=items))["results"]
    assert [(r["index"], r["status"]) for r in results] == [(0, 202), (1, 422), (2, 422), (3, 202)]
    assert results[1]["errors"][0]["code"] == "unknown_type"
    assert results[2]["errors"][0]["code"] == "not_an_object"
    sequences = [(await api.json("GET", f"/v1/events/{results[i]['id']}", 200))["sequence"] for i in (0, 3)]
    assert sequences == [1, 2]


async def test_ndjson_is_read_line_by_line(api: Api) -> None:
    raw = b"\n".join([orjson.dumps(GOOD), b"{broken", b"", orjson.dumps(GOOD)])
    results = (await api.json("POST", PATH, 200, data=raw, headers=NDJSON))["results"]
    assert [r["status"] for r in results] == [202, 400, 202]
    assert results[1]["errors"][0]["code"] == "invalid_json"


async def test_an_empty_batch_has_no_results(api: Api) -> None:
    assert await api.json("POST", PATH, 200, json=[]) == {"results": []}


async def test_a_thousand_items_are_accepted_and_one_more_is_refused(api: Api) -> None:
    results = (await api.json("POST", PATH, 200, json=[GOOD] * 1000))["results"]
    assert len({r["id"] for r in results}) == 1000
    await api.refused("POST", PATH, 422, "limit_reached", json=[GOOD] * 1001)
    raw = b"\n".join([orjson.dumps(GOOD)] * 1001)
    await api.refused("POST", PATH, 422, "limit_reached", data=raw, headers=NDJSON)


async def test_an_idempotency_key_is_refused_and_not_ignored(api: Api) -> None:
    headers = {"Idempotency-Key": "order-1"}
    told = await api.refused(
        "POST", PATH, 400, "idempotency_not_supported", "Idempotency-Key", json=[GOOD], headers=headers
    )
    assert "POST /v1/events" in str(told)
    assert (await api.json("GET", "/v1/events", 200))["data"] == []


async def test_what_is_no_batch_is_refused_whole(api: Api) -> None:
    await api.refused("POST", PATH, 422, "not_an_array", json=GOOD)
    await api.refused("POST", PATH, 400, "invalid_json", data=b"[", headers={"Content-Type": "application/json"})
    answer = await api.ask("POST", PATH, data=b"[]", headers={"Content-Type": "text/csv"})
    assert answer.status == 415


async def test_a_thousand_unknown_products_are_looked_for_at_once(api: Api) -> None:
    items = [{"type": "create", "productId": f"unknown-{n}", "accountId": "A"} for n in range(999)]
    items.append({"type": "create", "productId": PRODUCT, "accountId": "A"})
    async with counted(api.redis) as commands:
        body = await api.json("POST", "/v1/events/batch", 200, json=items)
    assert [one["status"] for one in body["results"]] == [422] * 999 + [202]
    assert body["results"][0]["errors"][0]["code"] == "product_not_linked"
    assert commands.calls["mget"] <= 3
    assert commands.calls["get"] <= 3
