"""``RedisEmitter``: what is promised over HTTP holds beside it, against an API over the same store."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.emitting import Limits, RedisEmitter
from dispatcher.errors import ConfigurationError, RequestError, StoreUnavailable
from dispatcher.model.integration import Revision
from dispatcher.store.health.meta import claim_meta
from tests.api.conftest import PRODUCT, Api, publish
from tests.waiting import until

VALID: dict[str, Any] = {"type": "create", "productId": PRODUCT, "accountId": "A-1"}


async def test_an_event_beside_http_is_the_same_as_one_over_http(api: Api, redis_url: str) -> None:
    payload = {"order": {"editionCode": "BASIC"}, "configuration": {"size": "XL"}}
    over_http = await api.emit(payload=payload)
    async with RedisEmitter(redis_url, client_id="admin", partitions=4) as emitter:
        receipt = await emitter.emit(VALID | {"payload": payload})
    first = await api.json("GET", f"/v1/events/{over_http['id']}", 200)
    second = await api.json("GET", f"/v1/events/{receipt.id}", 200)
    own = {"id", "eventUrl", "createdOn", "createdAt", "sequence", "status"}  # the second is behind the first
    assert {k: v for k, v in first.items() if k not in own} == {k: v for k, v in second.items() if k not in own}
    assert (first["sequence"], second["sequence"]) == (1, 2)
    found = [await api.services.queue.get(one) for one in (over_http["id"], receipt.id)]
    assert [one.event.client_id for one in found if one] == ["admin", "admin"]


async def test_a_key_makes_one_event_for_each_client_id(api: Api, redis_url: str) -> None:
    async with RedisEmitter(redis_url, client_id="one") as one, RedisEmitter(redis_url, client_id="two") as two:
        first = await one.emit(VALID, key="order-1")
        again = await one.emit(VALID, key="order-1")
        other = await two.emit(VALID, key="order-1")
        with pytest.raises(RequestError) as conflict:
            await one.emit(VALID | {"accountId": "A-2"}, key="order-1")
    assert (first.replayed, again.replayed, other.replayed) == (False, True, False)
    assert again.id == first.id != other.id
    assert conflict.value.problems[0].code == "idempotency_conflict"


INVALID: dict[str, dict[str, Any]] = {
    "unknown type": {"type": "nothing"},
    "control character": {"accountId": "a\nb"},
    "long account": {"accountId": "x" * 256},
    "unknown field": {"prodcutId": "P"},
    "list for payload": {"payload": []},
    "number for product": {"productId": 1},
    "unlinked product": {"productId": "P-9"},
    "other flag": {"flag": "STATELESS"},
    "half a surrogate pair": {"payload": {"x": "\ud800"}},
}


@pytest.mark.parametrize("name", INVALID)
async def test_what_the_api_refuses_is_refused_with_the_same_problems(api: Api, redis_url: str, name: str) -> None:
    event = VALID | INVALID[name]
    answer = await api.ask("POST", "/v1/events", json=event)
    body = await answer.json()
    async with RedisEmitter(redis_url, client_id="shop") as emitter:
        with pytest.raises(RequestError) as refusal:
            await emitter.emit(event)
    told = [(one.code, one.field) for one in refusal.value.problems]
    assert (refusal.value.status, told) == (answer.status, [(one["code"], one["field"]) for one in body["errors"]])


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"x": float("nan")}, "invalid_json"),
        ({"x": object()}, "invalid_json"),
        ({"x": "x" * 2000}, "body_too_large"),
    ],
)
async def test_what_is_no_json_or_too_large_is_refused(
    api: Api, redis_url: str, payload: dict[str, Any], code: str
) -> None:
    async with RedisEmitter(redis_url, client_id="shop", limits=Limits(max_body_bytes=1024)) as emitter:
        with pytest.raises(RequestError) as refusal:
            await emitter.emit(VALID | {"payload": payload})
    assert refusal.value.problems[0].code == code


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "é", 5, b"k"])
async def test_a_key_that_no_header_could_carry_is_refused(api: Api, redis_url: str, key: Any) -> None:
    async with RedisEmitter(redis_url, client_id="shop") as emitter:
        with pytest.raises(RequestError) as refusal:
            await emitter.emit(VALID, key)
        (outcome,) = await emitter.emit_each_once([(VALID, key)])
    assert refusal.value.problems[0].code == "invalid_idempotency_key"
    assert isinstance(outcome, RequestError)


async def test_many_are_kept_in_their_order_and_refused_one_by_one(api: Api, redis_url: str) -> None:
    events = [(VALID | {"type": "upgrade"}, f"k{n}") for n in range(5)]
    async with RedisEmitter(redis_url, client_id="shop") as emitter:
        first = await emitter.emit_each_once([*events, (VALID | {"type": "nothing"}, "bad")])
        again = await emitter.emit_each_once(events)
    assert isinstance(first[5], RequestError)
    ids = [one.id for one in first if not isinstance(one, RequestError)]
    assert [one.id for one in again if not isinstance(one, RequestError)] == ids
    stored = [await api.services.queue.get(one) for one in ids]
    assert [one.state.sequence for one in stored if one] == [1, 2, 3, 4, 5]


async def test_another_number_of_partitions_or_a_new_store_is_refused_at_once(redis: Redis, redis_url: str) -> None:
    with pytest.raises(ConfigurationError, match="the store is new"):
        async with RedisEmitter(redis_url, client_id="shop"):
            pass
    await claim_meta(redis, 4)
    with pytest.raises(ConfigurationError, match="DISPATCHER_PARTITIONS=4"):
        async with RedisEmitter(redis_url, client_id="shop", partitions=8):
            pass
    with pytest.raises(ConfigurationError, match="client_id"):
        RedisEmitter(redis_url, client_id="a b")


async def test_a_store_that_is_nearly_full_takes_nothing_and_then_takes_again(api: Api, redis_url: str) -> None:
    used_bytes = int((await api.redis.info("memory"))["used_memory"])
    await api.redis.config_set("maxmemory", used_bytes * 2)
    try:
        async with RedisEmitter(redis_url, client_id="shop", limits=Limits(memory_high_water=0.1)) as emitter:
            with pytest.raises(RequestError) as refusal:
                await emitter.emit(VALID)
            assert (refusal.value.problems[0].code, refusal.value.status) == ("store_full", 503)
            await api.redis.config_set("maxmemory", used_bytes * 1000)
            await until(lambda: emitter.emit(VALID), despite=(RequestError,))
    finally:
        await api.redis.config_set("maxmemory", 0)


async def test_without_the_replicas_that_are_asked_for_the_outcome_is_unknown(api: Api, redis_url: str) -> None:
    async with RedisEmitter(redis_url, client_id="shop", limits=Limits(min_replicas=1)) as emitter:
        with pytest.raises(StoreUnavailable):
            await emitter.emit(VALID, key="k")
    async with RedisEmitter(redis_url, client_id="shop") as lenient:
        assert (await lenient.emit(VALID, key="k")).replayed
    assert len((await api.json("GET", "/v1/events", 200))["data"]) == 1


async def test_a_revision_that_is_published_meanwhile_is_seen(api: Api, redis_url: str) -> None:
    async with RedisEmitter(redis_url, client_id="shop") as emitter:
        with pytest.raises(RequestError):
            await emitter.emit(VALID | {"productId": "P-2"})
        await publish(api.services, Revision(urls={"createUrl": "https://host.example/hook"}), products=("P-2",))
        assert (await emitter.emit(VALID | {"productId": "P-2"})).id
