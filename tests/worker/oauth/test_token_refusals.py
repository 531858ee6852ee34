"""A host that refuses a token causes one fresh one, and no storm."""

from __future__ import annotations

from tests.hosts import ProductHost
from tests.worker.oauth.token_bench import Bench, bench, for_host, source, value_of
from worker.oauth.client import TokenSource, fingerprint

__all__ = ["bench", "source"]


async def test_a_late_refusal_of_an_old_token_does_not_drop_the_new_one(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    await value_of(source, credentials)
    assert await source.rejected(key, "token-1")
    assert await value_of(source, credentials) == "token-2"
    assert await source.rejected(key, "token-1")
    assert source.cached(key) == "token-2"
    assert await bench.store.drop(key, "token-1") is False


async def test_a_host_that_refuses_every_token_causes_one_extra_request_in_thirty_seconds(
    bench: Bench, source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    for _ in range(20):
        while await source.rejected(key, await value_of(source, credentials)):
            pass
        bench.clock.now_s += 1
    assert len(product_host.tokens.requests) == 2
    bench.clock.now_s += 30
    assert await source.rejected(key, await value_of(source, credentials))
    assert await value_of(source, credentials) == "token-3"


async def test_a_proven_token_that_is_revoked_at_once_is_replaced(
    source: TokenSource, product_host: ProductHost
) -> None:
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    for number in range(1, 5):
        assert await value_of(source, credentials) == f"token-{number}"
        source.accepted(key)
        assert await source.rejected(key, f"token-{number}")


async def test_a_token_that_another_process_has_replaced_is_taken_from_redis(
    bench: Bench, product_host: ProductHost
) -> None:
    first, second = bench.process(), bench.process()
    credentials = for_host(product_host)
    key = fingerprint(credentials, "i")
    for process in (first, second):
        assert await value_of(process, credentials) == "token-1"
    for process in (first, second):
        assert await process.rejected(key, "token-1")
        assert await value_of(process, credentials) == "token-2"
    assert len(product_host.tokens.requests) == 2
