"""Examines Redis: can it keep what this program accepts? Every finding is a value with its remedy. Changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.asyncio import Redis

from dispatcher.clock import DAY_MS, iso_ms
from dispatcher.errors import StoreDamaged, StoreUnavailable, StoreUnusable
from dispatcher.model.queue import WORKER_ALIVE_MS
from dispatcher.store.audit_log.reading import AuditReader
from dispatcher.store.health.doctor.findings import Check, Level
from dispatcher.store.health.doctor.key_checks import examine_keys, sealed_values
from dispatcher.store.health.doctor.permissions import FUNCTIONS, QUEUE, RECOVERY, advice, missing, of_store
from dispatcher.store.health.doctor.server_checks import appendfsync, clock, eviction
from dispatcher.store.health.doctor.server_info import INFO_CHECKS, Info, product, replicas
from dispatcher.store.health.loss import recorded_losses
from dispatcher.store.health.meta import stored_partitions
from dispatcher.store.installations.installed.unfinished import effects_waiting, updates_in_progress
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.server_time import server_now_ms
from dispatcher.store.secrets.signing_keys import SigningKeyStore

LOSS_FAILS_MS = DAY_MS
LONG_UPDATE_MS = 3_600_000
LONG_OUTBOX_MS = 60_000


async def examine(redis: Redis, partitions: int, secret_keys: Sequence[str], *, min_replicas: int = 0) -> list[Check]:
    """Every check in a fixed order; permissions alone when some are missing, since the others would be refused.

    Raises StoreUnavailable when Redis goes away meanwhile.
    """
    if lacking := await missing(redis, *of_store(min_replicas)):
        return [_permissions(lacking), examine_keys(secret_keys)]
    info, optional = await _info(redis), await missing(redis, RECOVERY)
    checks = [
        Check("reachable", Level.OK, f"{product(info) if info else 'Redis'} answers"),
        _permissions(lacking, optional),
        _functions(await missing(redis, FUNCTIONS)),
    ]
    checks += [check(info) for check in INFO_CHECKS] if info else [_UNREAD]
    checks += [await check(redis) for check in ASKING_CHECKS]
    checks += [replicas(info, min_replicas)] if info else []
    checks.append(await _partitions(redis, partitions))
    found = examine_keys(secret_keys, await SigningKeyStore(redis).current())
    return [*checks, found, *await sealed_values(redis, secret_keys, found)]


def unreachable(error: StoreUnavailable) -> Check:
    remedy = "" if isinstance(error, StoreUnusable) else "; start Redis, or correct DISPATCHER_REDIS_URL"
    return Check("reachable", Level.FAIL, f"{error}{remedy}")


async def examine_queue(redis: Redis) -> Check:
    """Check that workers can take jobs there, and that the API can give them some."""
    try:
        lacking = await missing(redis, QUEUE)
    except StoreUnavailable as error:
        return Check("job queue", Level.FAIL, str(error))
    if lacking:
        return Check("job queue", Level.FAIL, f"the user may not do all that is needed: {advice(lacking)}")
    return Check("job queue", Level.OK, "jobs can be given and taken")


_UNREAD = Check(
    "server", Level.WARN, "version, durability and memory cannot be read, nor memory be watched: allow +info"
)


async def _info(redis: Redis) -> Info:
    """Empty where the user may not ask."""
    try:
        with guarded():
            return dict(await redis.info("everything"))
    except StoreUnusable:
        return {}


def _permissions(lacking: Sequence[str], optional: Sequence[str] = ()) -> Check:
    if lacking:
        return Check("permissions", Level.FAIL, f"the user may not do all that is needed: {advice(lacking)}")
    if optional:
        return Check("permissions", Level.WARN, f"a killed worker is found by its lease only: {advice(optional)}")
    return Check("permissions", Level.OK, "commands, keys and channels are allowed")


def _functions(lacking: Sequence[str]) -> Check:
    if lacking:
        cost = "which costs Redis a quarter more CPU where events come one by one"
        return Check("scripts", Level.OK, f"sent by their names, {cost}: {advice(lacking)}")
    return Check("scripts", Level.OK, "kept as functions, where Redis makes them once")


async def _workers(redis: Redis) -> Check:
    since_ms = await server_now_ms(redis) - WORKER_ALIVE_MS
    with guarded():
        alive = await redis.zcount(deployment_keys.WORKERS, since_ms, "+inf")
    if alive:
        return Check("workers", Level.OK, f"{alive} alive")
    if waiting := await _open_events(redis):
        return Check("workers", Level.FAIL, f"none, and {waiting} accepted events wait: start `dispatcher worker`")
    return Check("workers", Level.WARN, "none: what is accepted will wait; start `dispatcher worker`")


async def _open_events(redis: Redis) -> int:
    partitions = await stored_partitions(redis) or 0
    pipeline: Any = redis.pipeline(transaction=False)
    for partition in range(partitions):
        pipeline.scard(queue_keys.open_events(partition))
    with guarded():
        return sum(await pipeline.execute())


async def _losses(redis: Redis) -> Check:
    losses = await recorded_losses(redis)
    if not losses:
        return Check("data loss", Level.OK, "none noticed in the last 7 days")
    latest = losses[0]
    recent = await server_now_ms(redis) - latest.noticed_ms < LOSS_FAILS_MS
    text = f"{latest.text}: emit it again, see the runbook; `DEL {deployment_keys.LOSSES}` once that is done"
    return Check("data loss", Level.FAIL if recent else Level.WARN, text)


async def _audit_log(redis: Redis) -> Check:
    try:
        head = await AuditReader(redis).head()
    except StoreDamaged as error:
        return Check("audit log", Level.FAIL, str(error))
    return Check("audit log", Level.OK, f"entries so far: {head.n:,}; `dispatcher audit-log --verify` checks them")


async def _partitions(redis: Redis, partitions: int) -> Check:
    stored = await stored_partitions(redis)
    if stored in {None, partitions}:
        return Check("partitions", Level.OK, f"{partitions}" + (" (the store is new)" if stored is None else ""))
    return Check(
        "partitions",
        Level.FAIL,
        f"the store has {stored}, the setting says {partitions}: set DISPATCHER_PARTITIONS={stored}",
    )


async def _updates(redis: Redis) -> Check:
    found = await updates_in_progress(redis, LONG_UPDATE_MS)
    if found.oldest is None:
        return Check("updates", Level.OK, "no managed update has been in progress for long")
    text = (
        f"an update of {found.oldest[0]} is in progress since {iso_ms(found.oldest[1])}, and holds its account's events"
    )
    remedy = "its publisher has to end it: PUT /v1/integrations/{_id} with updateInProgress false and a higher version"
    return Check("updates", Level.WARN, f"{text}; {remedy}")


async def _outbox(redis: Redis) -> Check:
    found = await effects_waiting(redis, LONG_OUTBOX_MS)
    if found.oldest is None:
        return Check("outbox", Level.OK, "effects of installations reach the queue")
    text = f"{found.count} installations have effects that the queue lacks, as {found.oldest[0]}"
    return Check("outbox", Level.WARN, f"{text}; workers bring them there, so see that one runs")


ASKING_CHECKS: tuple[Callable[[Redis], Awaitable[Check]], ...] = (
    appendfsync,
    eviction,
    clock,
    _workers,
    _losses,
    _audit_log,
    _updates,
    _outbox,
)
