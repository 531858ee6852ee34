"""A token serves for its lifetime, and its renewal keeps nobody waiting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.model.status import Status
from tests.hosts import ProductHost, Reply
from tests.waiting import until
from tests.worker.conftest import Shop
from tests.worker.oauth.token_bench import Bench, bench, for_host, source, value_of
from worker.oauth.client import Token, TokenSource, fingerprint

__all__ = ["bench", "source"]


@pytest.mark.parametrize(("lifetime_s", "still_cached_s"), [(3600, 3100), (600, 500), (60, 29), (10, 4), (1, 0.4)])
async def test_a_token_is_cached_for_most_of_its_life(
    bench: Bench, source: TokenSource, product_host: ProductHost, lifetime_s: int, still_cached_s: float
) -> None:
    product_host.tokens.expires_in = lifetime_s
    credentials = for_host(product_host)
    await value_of(source, credentials)
    bench.clock.now_s += still_cached_s
    assert source.cached(fingerprint(credentials, "i")) == "token-1"
    bench.clock.now_s += lifetime_s
    assert source.cached(fingerprint(credentials, "i")) is None
    assert await value_of(source, credentials) == "token-2"


async def test_a_refresh_ahead_of_expiry_keeps_nobody_waiting(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    await value_of(source, credentials)
    product_host.tokens.delay_s = 0.1
    bench.clock.now_s += 3590
    during = await asyncio.gather(*(value_of(source, credentials) for _ in range(50)))
    assert set(during) == {"token-1"}
    await until(lambda: source.cached(fingerprint(credentials, "i")) == "token-2")
    assert len(product_host.tokens.requests) == 2


async def test_a_failed_refresh_leaves_the_token_that_still_works(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    await value_of(source, credentials)
    product_host.tokens.replies.append(Reply(500, b""))
    bench.clock.now_s += 3590
    for _ in range(5):
        assert await value_of(source, credentials) == "token-1"
        await until(lambda: not source._flights)
    assert len(product_host.tokens.requests) == 2
    bench.clock.now_s += 10
    assert await value_of(source, credentials) == "token-3"


@pytest.mark.parametrize("expires_in", [0, -5, "0", "-1", 0.0, "soon", True, [], {}])
async def test_a_lifetime_of_nothing_serves_one_attempt(
    source: TokenSource, product_host: ProductHost, redis: Redis, expires_in: Any
) -> None:
    product_host.tokens.expires_in = expires_in
    credentials = for_host(product_host)
    assert [await value_of(source, credentials) for _ in range(2)] == ["token-1", "token-2"]
    assert await redis.keys("*") == []


LIFETIMES = [
    *(("600", 600), (" 600 ", 600), (600.9, 600), ("3600.0", 3600), ("3600.", 3600), ("36e2", 3600), (3600.0, 3600)),
    *((10**30, 86400), (1e300, 86400), ("1e999", 86400)),
]


@pytest.mark.parametrize(("expires_in", "lifetime_s"), LIFETIMES)
async def test_odd_lifetimes_are_read_within_a_day(
    bench: Bench, source: TokenSource, product_host: ProductHost, expires_in: Any, lifetime_s: int
) -> None:
    product_host.tokens.expires_in = expires_in
    assert await source.token(for_host(product_host), "i") == Token("token-1", bench.clock() + lifetime_s, fetched=True)


NO_LIFETIME: list[dict[str, Any]] = [{}, {"expires_in": None}, {"expires_in": ""}]


@pytest.mark.parametrize("said", NO_LIFETIME)
@pytest.mark.parametrize(("own_s", "lifetime_s"), [(None, 300), (20.0, 20)])
async def test_a_token_whose_answer_names_no_lifetime_serves_for_five_minutes_or_as_the_integration_says(
    bench: Bench,
    source: TokenSource,
    product_host: ProductHost,
    said: dict[str, Any],
    own_s: float | None,
    lifetime_s: int,
) -> None:
    """Symptom: one request to the token endpoint for each event."""
    product_host.tokens.replies.extend([Reply.of(200, {"access_token": "t", "token_type": "Bearer"} | said)] * 2)
    credentials = for_host(product_host, token_lifetime_s=own_s)
    assert await source.token(credentials, "i") == Token("t", bench.clock() + lifetime_s, fetched=True)
    assert [await value_of(source, credentials) for _ in range(9)] == ["t"] * 9
    assert len(product_host.tokens.requests) == 1


async def test_the_deployments_lifetime_holds_for_every_integration_without_its_own(shop: Shop) -> None:
    integration = await shop.integration(oauth2=True)
    shop.host.tokens.expires_in = None
    await shop.work(token_lifetime=1000.0)
    assert (await shop.ended(await shop.emit(integration))).state.status is Status.SUCCEEDED
    (key,) = [name async for name in shop.redis.scan_iter("*token:*")]
    assert 900_000 < await shop.redis.pttl(key) <= 1_000_000
