"""The doctor finds what would lose events, and says what to do about it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import orjson
import pytest
from redis.asyncio import Redis

from dispatcher.model.status import Status
from dispatcher.store.health.doctor.examination import examine
from dispatcher.store.health.doctor.findings import Check, Level
from dispatcher.store.health.doctor.key_checks import examine_keys
from dispatcher.store.health.loss import Loss, LossWatch
from dispatcher.store.health.meta import claim_meta
from dispatcher.store.keys import deployment as keys
from dispatcher.store.secrets.sealing import Sealer, new_key
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.store.desk import PARTITIONS, Desk

KEY = new_key()


@pytest.fixture
async def durable(redis: Redis) -> AsyncIterator[Redis]:
    """The server as it should be set, and as it was before."""
    wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "maxmemory": "1gb"}
    before = {name: (await redis.config_get(name))[name] for name in wanted}
    for name, value in wanted.items():
        await redis.config_set(name, value)
    yield redis
    for name, value in before.items():
        await redis.config_set(name, value)


async def found(redis: Redis, partitions: int = 16, secret_keys: tuple[str, ...] = (KEY,)) -> dict[str, Check]:
    return {check.name: check for check in await examine(redis, partitions, secret_keys)}


async def test_sound_installation_is_well(durable: Redis) -> None:
    await claim_meta(durable, 16)
    await durable.zadd(keys.WORKERS, {"w1": time.time() * 1000})
    checks = await found(durable)
    assert {check.level for check in checks.values()} == {Level.OK}
    assert list(checks) == [
        "reachable",
        "permissions",
        "scripts",
        "version",
        "role",
        "appendonly",
        "memory",
        "allocator",
        "appendfsync",
        "maxmemory-policy",
        "clock",
        "workers",
        "data loss",
        "audit log",
        "updates",
        "outbox",
        "replicas",
        "partitions",
        "secret keys",
        "sealed values",
    ]


@pytest.mark.parametrize(
    ("setting", "value", "check", "level", "remedy"),
    [
        ("appendonly", "no", "appendonly", Level.FAIL, "appendonly yes"),
        ("appendfsync", "everysec", "appendfsync", Level.WARN, "appendfsync always"),
        ("appendfsync", "no", "appendfsync", Level.FAIL, "appendfsync always"),
        ("maxmemory-policy", "allkeys-lru", "maxmemory-policy", Level.FAIL, "noeviction"),
        ("maxmemory-policy", "volatile-ttl", "maxmemory-policy", Level.FAIL, "noeviction"),
        ("maxmemory", "1mb", "memory", Level.FAIL, "DISPATCHER_RETENTION_DAYS"),
        ("maxmemory", "0", "memory", Level.WARN, "CONFIG SET maxmemory"),
    ],
)
async def test_weak_setting_is_found_with_its_remedy(
    durable: Redis, setting: str, value: str, check: str, level: Level, remedy: str
) -> None:
    await durable.config_set(setting, value)
    finding = (await found(durable))[check]
    assert finding.level is level
    assert remedy in finding.text


async def test_partition_count_of_the_store_is_compared(redis: Redis) -> None:
    assert "the store is new" in (await found(redis, 8))["partitions"].text
    await claim_meta(redis, 16)
    finding = (await found(redis, 8))["partitions"]
    assert finding.level is Level.FAIL
    assert "DISPATCHER_PARTITIONS=16" in finding.text


async def test_replicas_that_are_waited_for_have_to_be_there(redis: Redis) -> None:
    checks = {check.name: check for check in await examine(redis, 16, (KEY,), min_replicas=1)}
    assert checks["replicas"].level is Level.FAIL
    assert "DISPATCHER_MIN_REPLICAS" in checks["replicas"].text


async def test_loss_that_was_noticed_is_told_for_a_week(redis: Redis) -> None:
    watch = LossWatch(redis, "api", partitions=1, retention_ms=3_600_000)
    await watch.look()
    await redis.flushall()
    await watch.look()
    finding = (await found(redis))["data loss"]
    assert finding.level is Level.FAIL
    assert "at any time" in finding.text
    loss = Loss(1, int(time.time() * 1000) - 2 * 86_400_000, "api")
    await redis.delete(keys.LOSSES)
    await redis.hset(keys.LOSSES, "1", orjson.dumps(loss).decode())  # type: ignore[misc]
    assert (await found(redis))["data loss"].level is Level.WARN


async def test_worker_that_fell_silent_does_not_count(redis: Redis) -> None:
    await redis.zadd(keys.WORKERS, {"w1": (time.time() - 11) * 1000})
    finding = (await found(redis))["workers"]
    assert finding.level is Level.WARN
    assert "dispatcher worker" in finding.text


async def test_events_that_wait_without_a_worker_are_a_failure(redis: Redis) -> None:
    desk = await Desk(redis).open()
    await claim_meta(redis, PARTITIONS)
    assert (await found(redis, PARTITIONS))["workers"].level is Level.WARN
    ids = [await desk.emit("A"), await desk.emit("A")]
    finding = (await found(redis, PARTITIONS))["workers"]
    assert (finding.level, "2 accepted events wait" in finding.text) == (Level.FAIL, True)
    assert "dispatcher worker" in finding.text
    await redis.zadd(keys.WORKERS, {"w1": time.time() * 1000})
    assert (await found(redis, PARTITIONS))["workers"].level is Level.OK
    await redis.delete(keys.WORKERS)
    for event_id in ids:
        await desk.claim()
        await desk.settle(event_id, Status.SUCCEEDED)
    assert (await found(redis, PARTITIONS))["workers"].level is Level.WARN


async def test_keys_that_do_not_open_the_store_are_a_failure(redis: Redis) -> None:
    await SigningKeyStore(redis).offer(Sealer([KEY]).seal("x", "context"))
    assert (await found(redis, secret_keys=(new_key(), KEY)))["secret keys"].level is Level.OK
    assert (await found(redis, secret_keys=(new_key(),)))["secret keys"].level is Level.FAIL


def test_unusable_keys_are_a_failure_and_none_a_warning() -> None:
    assert examine_keys(["short"]).level is Level.FAIL
    assert "short" not in examine_keys(["short"]).text
    assert examine_keys([]).level is Level.WARN
