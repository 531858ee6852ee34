"""One token for all who need the same one, shared through a real Redis, and never with anybody else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.model.integration import AuthMethod
from dispatcher.store.secrets.sealing import Sealer, new_key
from dispatcher.store.secrets.tokens import TokenStore
from tests.hosts import ProductHost
from tests.worker.oauth.token_bench import SEED, Bench, asked, bench, for_host, source, value_of
from worker.oauth.client import Token, TokenSource, fingerprint

__all__ = ["bench", "source"]


async def test_five_hundred_at_once_make_one_request_and_five_hundred_refusals_one_more(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    product_host.tokens.delay_s = 0.05
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    tokens = await asyncio.gather(*(source.token(credentials, "i") for _ in range(500)))
    assert {token.value for token in tokens if isinstance(token, Token)} == {"token-1"}
    assert sum(token.fetched for token in tokens if isinstance(token, Token)) == 1

    async def refused() -> str:
        assert await source.rejected(key, "token-1")
        return await value_of(source, credentials)

    assert set(await asyncio.gather(*(refused() for _ in range(500)))) == {"token-2"}
    assert bench.counted == [True, True]


async def test_a_cached_token_is_there_without_waiting(source: TokenSource, product_host: ProductHost) -> None:
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    assert source.cached(key) is None
    await value_of(source, credentials)
    assert source.cached(key) == "token-1"


async def test_processes_share_a_token_through_redis(bench: Bench, product_host: ProductHost) -> None:
    product_host.tokens.delay_s = 0.2
    processes = [bench.process() for _ in range(5)]
    credentials = for_host(product_host)
    assert set(await asyncio.gather(*(value_of(one, credentials) for one in processes))) == {"token-1"}
    assert len(product_host.tokens.requests) == 1
    late = await bench.process().token(credentials, "i")
    assert late == Token("token-1", bench.clock() + 3600, fetched=False)


async def test_a_lock_whose_holder_died_is_waited_for_no_longer_than_it_lives(
    bench: Bench, source: TokenSource, product_host: ProductHost, redis: Redis
) -> None:
    credentials = for_host(product_host)
    await bench.store.lock(fingerprint(credentials, "i"), "a worker that died")
    (lock,) = await redis.keys("token-lock:*")
    await redis.pexpire(lock, 300)
    assert await value_of(source, credentials) == "token-1"


async def test_nothing_readable_reaches_redis(source: TokenSource, product_host: ProductHost, redis: Redis) -> None:
    await value_of(source, for_host(product_host))
    (key,) = await redis.keys("*")
    assert key.startswith(b"token:")
    assert 3_500_000 < await redis.pttl(key) <= 3_600_000
    stored = await redis.get(key)
    assert b"token-1" not in stored
    assert b"S3cre1!" not in stored


@pytest.mark.parametrize("garbage", ["v1.00000000.AAAA", "garbage", b"\xff\xfe"])
async def test_a_value_that_cannot_be_opened_is_fetched_again(
    bench: Bench, product_host: ProductHost, redis: Redis, garbage: str | bytes
) -> None:
    credentials = for_host(product_host)
    await value_of(bench.process(), credentials)
    (key,) = await redis.keys("*")
    await redis.set(key, garbage)
    assert await value_of(bench.process(), credentials) == "token-2"


async def test_ft28_a_key_of_a_wrong_type_does_not_stop_tokens(
    bench: Bench, product_host: ProductHost, redis: Redis
) -> None:
    credentials = for_host(product_host)
    await value_of(bench.process(), credentials)
    (key,) = await redis.keys("*")
    await redis.delete(key)
    await redis.sadd(key, "by hand")  # type: ignore[misc]
    assert await value_of(bench.process(), credentials) == "token-2"


async def test_tokens_are_fetched_while_redis_is_away(bench: Bench, product_host: ProductHost) -> None:
    away = Redis(unix_socket_path="/nonexistent/socket")
    bench.store = TokenStore(away, Sealer([new_key()]))
    source = bench.process()
    credentials = for_host(product_host)
    assert await value_of(source, credentials) == "token-1"
    assert await source.rejected(fingerprint(credentials, "i"), "token-1")
    assert await value_of(source, credentials) == "token-2"
    await away.aclose()


DIFFERENCES: list[dict[str, Any]] = [
    {"client_id": "other"},
    {"client_secret": "rotated"},
    {"auth_method": AuthMethod.CLIENT_SECRET_POST},
    {"scope": "read"},
    {"audience": "https://a.example"},
    {"resource": "https://r.example"},
    {"key_id": "k2"},
    {"token_uri": "https://elsewhere.example/token"},
]


@pytest.mark.parametrize("change", DIFFERENCES, ids=lambda change: next(iter(change)))
def test_any_change_of_the_credentials_names_another_token(change: dict[str, Any]) -> None:
    assert fingerprint(replace(SEED, **change), "i") != fingerprint(SEED, "i")


def test_tenants_never_share_a_token_and_the_order_of_scopes_does_not_matter() -> None:
    assert fingerprint(SEED, "i") != fingerprint(SEED, "j")
    assert fingerprint(replace(SEED, scope="a b"), "i") == fingerprint(replace(SEED, scope="b a"), "i")


async def test_a_fetch_that_outlives_a_rotation_does_not_replace_the_new_token(
    source: TokenSource, product_host: ProductHost
) -> None:
    product_host.tokens.delay_s = 0.1
    old, new = for_host(product_host), for_host(product_host, client_secret="rotated")
    slow = asyncio.create_task(source.token(old, "i"))
    await asked(product_host, 1)
    product_host.tokens.delay_s = 0
    assert await value_of(source, new) == "token-2"
    await slow
    assert await value_of(source, new) == "token-2"


async def test_a_waiter_that_gives_up_does_not_end_the_fetch(source: TokenSource, product_host: ProductHost) -> None:
    product_host.tokens.delay_s = 0.1
    credentials = for_host(product_host)
    hasty = asyncio.create_task(source.token(credentials, "i"))
    patient = asyncio.create_task(source.token(credentials, "i"))
    await asked(product_host, 1)
    hasty.cancel()
    token = await patient
    assert isinstance(token, Token)
    assert len(product_host.tokens.requests) == 1
