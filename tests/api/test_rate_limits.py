"""Bounds on the requests of a client, over all processes, and on guesses of secrets."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from dispatcher.api.admission.metering import Meters
from dispatcher.api.http.request.origin import address_of
from dispatcher.errors import RequestError, StoreUnavailable
from dispatcher.model.access import Caller
from dispatcher.store.access.rate_limits import Bucket, Grant, RateLimits
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, Start, basic
from tests.api.tenants import bearer

GRANT = {"grant_type": "client_credentials"}


async def statuses(api: Api, headers: dict[str, str], count: int) -> list[int]:
    answers = await asyncio.gather(*(api.http.get("/v1/events", headers=headers) for _ in range(count)))
    return [answer.status for answer in answers]


async def test_bi49_requests_over_the_rate_are_answered_429_with_retry_after(start: Start) -> None:
    api = await start()
    headers = await bearer(api, "events:read", rate_per_s=2)
    assert await statuses(api, headers, 2) == [200, 200]
    answer = await api.http.get("/v1/events", headers=headers)
    body = await answer.json()
    assert (answer.status, body["errors"][0]["code"]) == (429, "rate_limited")
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["RateLimit-Policy"] == '"client";q=2;w=1'
    assert answer.headers["RateLimit"] == '"client";r=0;t=1'
    await asyncio.sleep(1.1)
    assert await statuses(api, headers, 1) == [200]


async def test_bi49_answers_within_the_rate_say_what_is_left(start: Start) -> None:
    api = await start(client_rate=1, client_burst=5)
    headers = await bearer(api, "events:read")
    answer = await api.http.get("/v1/events", headers=headers)
    assert answer.headers["RateLimit-Policy"] == '"client";q=5;w=5'
    assert answer.headers["RateLimit"].startswith('"client";r=4;t=')


async def test_bi49_emitting_counts_as_one_request_and_says_what_is_left(api: Api) -> None:
    headers = await bearer(api, "events:write", rate_per_s=2)
    event = {"type": "create", "productId": "P-1"}
    one = await api.http.post("/v1/events", json=event, headers=headers)
    assert (one.status, one.headers["RateLimit"].partition(";t")[0]) == (202, '"client";r=1')
    many = await api.http.post("/v1/events/batch", json=[event] * 50, headers=headers)
    assert (many.status, many.headers["RateLimit"].partition(";t")[0]) == (200, '"client";r=0')
    assert (await api.http.post("/v1/events", json=event, headers=headers)).status == 429


async def test_bi49_the_rate_holds_over_all_processes(start: Start) -> None:
    apis = [await start(client_burst=1) for _ in range(3)]
    headers = await bearer(apis[0], "events:read", rate_per_s=20)
    began_s = time.monotonic()
    found = [status for api in apis for status in await statuses(api, headers, 30)]
    allowed = 20 + 20 * (time.monotonic() - began_s) + 1
    assert 20 <= found.count(200) <= allowed
    assert set(found) == {200, 429}


async def test_bi49_one_client_uses_up_nothing_of_another(start: Start) -> None:
    api = await start(client_rate=2)
    one, other = await bearer(api, "events:read"), await bearer(api, "events:read")
    assert 429 in await statuses(api, one, 5)
    assert await statuses(api, other, 2) == [200, 200]
    unlimited = await bearer(api, "events:read", rate_per_s=0)
    assert set(await statuses(api, unlimited, 20)) == {200}


async def test_bi49_all_tokens_of_a_client_share_its_rate(start: Start) -> None:
    api = await start()
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0, rate_per_s=1)
    found = [await statuses(api, await api.bearer(client.client_id, secret), 1) for _ in range(4)]
    assert found.count([429]) >= 1


async def test_bi49_graphql_is_limited_in_its_own_form(start: Start) -> None:
    api = await start()
    headers = await bearer(api, "integrations:read", rate_per_s=0.5)
    query = {"query": "{ productIntegrations { id } }"}
    await api.http.post("/graphql", json=query, headers=headers)
    answer = await api.http.post("/graphql", json=query, headers=headers)
    assert answer.status == 429
    assert (await answer.json())["errors"][0]["extensions"]["code"] == "rate_limited"


async def test_without_a_rate_nothing_is_asked_of_the_store(api: Api) -> None:
    await statuses(api, api.headers, 5)
    answer = await api.ask("GET", "/v1/events")
    assert "RateLimit" not in answer.headers
    assert [key async for key in api.redis.scan_iter("limit:*")] == []


async def test_a_changed_rate_is_in_force_within_the_recheck(start: Start) -> None:
    api = await start()
    client, secret = await api.services.clients.create(frozenset({"events:read"}), "", None, 0)
    headers = await api.bearer(client.client_id, secret)
    assert set(await statuses(api, headers, 5)) == {200}
    await api.json("PATCH", f"/v1/clients/{client.client_id}", 200, json={"rate": 1})
    api.clock.now_s += 5
    await statuses(api, headers, 1)
    assert 429 in await statuses(api, headers, 5)


class Away(RateLimits):
    """A store that does not answer."""

    def __init__(self) -> None:
        self.asked = 0

    async def take(self, bucket: Bucket, wanted: int = 1) -> Grant:
        self.asked += 1
        raise StoreUnavailable("away")


async def test_while_the_store_is_away_each_process_gives_the_whole_rate() -> None:
    limits, now_s = Away(), [100.0]
    meters = Meters(limits, 2.0, lambda: now_s[0])
    caller = Caller("c", frozenset(), rate_per_s=10)
    for _ in range(10):
        await meters.admit(caller)
    assert limits.asked == 1
    await meters.admit(caller)
    assert limits.asked == 2


async def scripts_run(redis: Redis) -> int:
    """Scripts that the server has run, whether by text or by hash."""
    stats = await redis.info("commandstats")
    counts = [stats.get(name, {}) for name in ("cmdstat_eval", "cmdstat_evalsha")]
    return sum(one.get("calls", 0) - one.get("failed_calls", 0) for one in counts)


async def test_a_flood_that_is_refused_does_not_reach_the_store(redis: Redis) -> None:
    now_s = [100.0]
    meters = Meters(RateLimits(redis), 1.0, lambda: now_s[0])
    caller = Caller("c", frozenset(), rate_per_s=1)
    await meters.admit(caller)
    refused = 0
    before = await scripts_run(redis)
    for _ in range(200):
        with pytest.raises(RequestError):
            await meters.admit(caller)
        refused += 1
    assert refused == 200
    assert await scripts_run(redis) - before == 1


async def test_a_busy_client_costs_few_round_trips(redis: Redis) -> None:
    meters = Meters(RateLimits(redis), 1.0, lambda: 100.0)
    caller = Caller("c", frozenset(), rate_per_s=10_000)
    before = await scripts_run(redis)
    for _ in range(2000):
        await meters.admit(caller)
    assert await scripts_run(redis) - before == 4


async def test_a_bucket_fills_steadily_and_never_overflows(redis: Redis) -> None:
    limits, bucket = RateLimits(redis), Bucket("x", 0.1, 3.0)
    assert (await limits.take(bucket, 0)).left == 3
    assert (await limits.take(bucket, 5)).granted == 3
    empty = await limits.take(bucket)
    assert (empty.granted, empty.left) == (0, 0)
    assert 0 < empty.wait_s <= 10.001
    assert 0 < await redis.pttl(bucket.key) <= 31_000
    faster = replace(bucket, rate_per_s=1000.0)
    await asyncio.sleep(0.01)
    assert (await limits.take(faster, 5)).granted == 3


async def guess(api: Api, client_id: str, secret: str, **headers: str) -> int:
    given = basic(client_id, secret) | headers
    return (await api.http.post("/oauth2/token", data=GRANT, headers=given)).status


async def test_bi49_guessed_secrets_are_answered_429_after_a_few(start: Start) -> None:
    api = await start(auth_failures=3)
    assert [await guess(api, ADMIN_ID, f"wrong{n}") for n in range(4)] == [401, 401, 401, 429]
    answer = await api.http.post("/oauth2/token", data=GRANT, headers=basic(ADMIN_ID, ADMIN_SECRET))
    body = await answer.json()
    assert (answer.status, body["error"]) == (429, "temporarily_unavailable")
    assert 1 <= int(answer.headers["Retry-After"]) <= 20
    for path in ("/oauth2/revoke", "/oauth2/introspect"):
        refused = await api.http.post(path, data={"token": "x"}, headers=basic(ADMIN_ID, "wrong"))
        assert refused.status == 429, path


async def test_bi38_unknown_clients_are_counted_like_known_ones(start: Start) -> None:
    api = await start(auth_failures=3)
    known = [await guess(api, ADMIN_ID, "wrong") for _ in range(5)]
    assert [await guess(api, "nobody", "wrong") for _ in range(5)] == known


async def test_a_wrong_configuration_shuts_out_nobody_else(start: Start) -> None:
    api = await start(auth_failures=2, trusted_proxies="127.0.0.0/8")
    for _ in range(4):
        await guess(api, "somebody", "wrong")
    assert await guess(api, ADMIN_ID, ADMIN_SECRET) == 200
    far = {"X-Forwarded-For": "198.51.100.7"}
    assert [await guess(api, ADMIN_ID, "wrong", **far) for _ in range(3)] == [401, 401, 429]
    assert await guess(api, ADMIN_ID, ADMIN_SECRET) == 200
    spoofed = {"X-Forwarded-For": "203.0.113.1, 198.51.100.7"}
    assert await guess(api, ADMIN_ID, "wrong", **spoofed) == 429


async def test_right_secrets_are_never_counted(start: Start) -> None:
    api = await start(auth_failures=2)
    assert {await guess(api, ADMIN_ID, ADMIN_SECRET) for _ in range(6)} == {200}


async def test_without_a_limit_guessing_asks_nothing_of_the_store(start: Start) -> None:
    api = await start(auth_failures=0)
    assert {await guess(api, ADMIN_ID, "wrong") for _ in range(15)} == {401}
    assert [key async for key in api.redis.scan_iter("limit:*")] == []


def test_only_trusted_proxies_say_where_a_request_comes_from() -> None:
    from ipaddress import ip_network

    from aiohttp.test_utils import make_mocked_request
    from multidict import CIMultiDict

    def seen(remote: str, *trusted: str, **forwarded: str) -> str | None:
        headers = CIMultiDict({"X-Forwarded-For": forwarded["by"]} if forwarded else {})
        request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
        return address_of(request, [ip_network(one) for one in trusted])

    assert seen("198.51.100.1", by="192.0.2.1") == "198.51.100.1"
    assert seen("198.51.100.1", "10.0.0.0/8", by="192.0.2.1") == "198.51.100.1"
    assert seen("10.0.0.1", "10.0.0.0/8") == "10.0.0.1"
    assert seen("10.0.0.1", "10.0.0.0/8", by="192.0.2.1") == "192.0.2.1"
    assert seen("10.0.0.1", "10.0.0.0/8", by="203.0.113.9, 192.0.2.1, 10.0.0.2") == "192.0.2.1"
    assert seen("10.0.0.1", "10.0.0.0/8", by="192.0.2.1, nonsense") == "10.0.0.1"
    assert seen("::ffff:10.0.0.1", "10.0.0.0/8", by="2001:db8::1") == "2001:db8::1"
