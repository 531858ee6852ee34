"""The API while its store is full, empty or not what it was: what it answers, says and puts back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis
from structlog.testing import capture_logs

from dispatcher.api.oauth.keys import generate
from dispatcher.model.integration import Revision
from dispatcher.store.keys import deployment as keys
from dispatcher.store.keys.definitions import JWT_KEYS
from dispatcher.store.secrets.fields import ACCESS_TOKEN_KEY
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.api.conftest import KEY, PRODUCT, Api, Start, publish
from tests.waiting import until

EVENT = {"type": "create", "productId": PRODUCT, "accountId": "A-1"}
NOTICED_S = 5.0


@pytest.fixture
async def limited(redis: Redis) -> AsyncIterator[Redis]:
    await redis.setrange("ballast", 30_000_000, "x")
    yield redis
    await redis.config_set("maxmemory", 0)


async def fill(redis: Redis, share: float) -> None:
    used_bytes = (await redis.info("memory"))["used_memory"]
    await redis.config_set("maxmemory", int(used_bytes / share))


async def until_ready_says(api: Api, right: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async def said() -> dict[str, Any] | None:
        body = dict(await api.json("GET", "/readyz", 200))
        return body if right(body) else None

    return await until(said, NOTICED_S)


async def until_let_in(api: Api) -> None:
    async def let_in() -> bool:
        return (await api.ask("GET", "/v1/queue")).status == 200

    await until(let_in, NOTICED_S)


async def flush_and_set(redis: Redis, key: str, field: str, value: str) -> None:
    """At once, so that nobody finds the store in between."""
    pipeline: Any = redis.pipeline()
    pipeline.flushall()
    pipeline.hset(key, field, value)
    await pipeline.execute()


async def metric(api: Api, name: str) -> float:
    page = await (await api.ask("GET", "/metrics")).text()
    families = {family.name: family for family in text_string_to_metric_families(page)}
    return float(families[name].samples[0].value)


async def test_ft18_full_store_refuses_events_and_nothing_else(api: Api, limited: Redis) -> None:
    before = await api.emit()
    with capture_logs() as said:
        await fill(limited, 0.92)
        await until_ready_says(api, lambda body: not body["memory"]["accepting"])
        answer = await api.ask("POST", "/v1/events", json=EVENT, headers={"Idempotency-Key": "k"})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        await api.refused("POST", "/v1/events", 503, "store_full", json=EVENT)
        await api.refused("POST", "/v1/events/batch", 503, "store_full", json=[EVENT])
        assert await metric(api, "dispatcher_store_memory_ratio") == pytest.approx(0.92, abs=0.02)
        assert [name async for name in limited.scan_iter("idem:*")] == []
        assert (await api.json("GET", f"/v1/events/{before['id']}", 200))["status"] == "QUEUED"
        await api.json("POST", f"/v1/events/{before['id']}/resolve", 200)
        await limited.config_set("maxmemory", 0)
        await until_ready_says(api, lambda body: bool(body["memory"]["accepting"]))
    await api.emit(headers={"Idempotency-Key": "k"})
    assert [line["log_level"] for line in said if "store" in line["event"]] == ["warning"] * 2


async def test_a_store_emptied_under_a_running_api_is_told_and_made_usable(api: Api) -> None:
    """Nothing was cut, so that no cache heard of it."""
    await api.emit()
    assert await metric(api, "dispatcher_store_losses") == 0
    await asyncio.sleep(1.2)
    with capture_logs() as said:
        await api.redis.flushall()
        body = await until_ready_says(api, lambda body: "dataLoss" in body)
    assert body["dataLoss"]["since"] is None
    assert [line["log_level"] for line in said if "data loss" in line["event"]] == ["error"]
    assert await metric(api, "dispatcher_store_losses") == 1
    api.clock.now_s += 10
    await until_let_in(api)
    await api.refused("POST", "/v1/events", 422, "product_not_linked", "productId", json=EVENT)
    await publish(api.services, Revision(urls={"createUrl": "https://host.example/hook"}), products=(PRODUCT,))
    await api.emit()
    api.headers = await api.bearer()
    await api.emit()


async def test_apis_agree_on_a_signing_key_after_a_loss(start: Start) -> None:
    """Symptom: each signed with a key of its own, and refused the other's tokens."""
    one = await start()
    newcomers = Sealer([KEY]).seal(generate(), ACCESS_TOKEN_KEY)
    await asyncio.sleep(1.2)
    await flush_and_set(one.redis, JWT_KEYS, "current", newcomers)
    await until_ready_says(one, lambda body: "dataLoss" in body)
    await until_let_in(one)  # by a token from before the loss
    other = await start()
    one.headers, other.headers = await other.bearer(), await one.bearer()
    assert await SigningKeyStore(one.redis).current() == newcomers
    for api in (one, other):
        api.clock.now_s += 10
        assert (await api.ask("GET", "/v1/queue")).status == 200, "the other's token"


async def test_a_store_that_became_anothers_is_told_and_ends_nothing(api: Api) -> None:
    await asyncio.sleep(1.2)
    with capture_logs() as said:
        await flush_and_set(api.redis, keys.META, "partitions", "7")
        await until_ready_says(api, lambda body: "dataLoss" in body)
        await until(lambda: any("of no use" in line["event"] for line in said), NOTICED_S)
    assert "DISPATCHER_PARTITIONS=7" in next(line["reason"] for line in said if "of no use" in line["event"])
    assert (await api.ask("GET", "/healthz")).status == 200
