"""Asks Redis, before anything is at stake, whether its user may do what this program does. Runs none of it.

What a user lacks shows otherwise when it is needed first: hours after the start, or in the middle of a script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import orjson
from redis.asyncio import Redis

from dispatcher.errors import StoreUnusable
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.keys.families import FAMILIES, JOB_FAMILIES
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import script

_MAY = script("health/may")

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """``reads`` and ``writes`` take a key first, of any of ``families``: an ACL pattern each. ``others`` are whole."""

    families: tuple[str, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    others: tuple[tuple[Command, str], ...]
    """With the rule that allows it."""


STORE = Needs(
    families=FAMILIES,
    reads=(
        *("EXISTS", "GET", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET", "HSCAN", "HVALS", "LINDEX", "LLEN"),
        "LPOS",
        "PTTL",
        *("LRANGE", "MGET", "SCARD", "SISMEMBER", "SMEMBERS", "SMISMEMBER", "SRANDMEMBER", "SSCAN", "TYPE", "XLEN"),
        *("XRANGE", "XREVRANGE", "ZCARD", "ZCOUNT", "ZMSCORE", "ZRANGE", "ZRANGEBYLEX", "ZRANGEBYSCORE"),
        *("ZRANK", "ZSCAN", "ZSCORE"),
    ),
    writes=(
        *("DEL", "EXPIRE", "GETDEL", "HDEL", "HINCRBY", "HSET", "HSETNX", "INCRBY", "LINSERT", "LPOP", "LPUSH", "LREM"),
        *(
            "LSET",
            "LTRIM",
            "PERSIST",
            "PEXPIRE",
            "RPUSH",
            "SADD",
            "SET",
            "SREM",
            "XADD",
            "XDEL",
            "XTRIM",
            "ZADD",
            "ZPOPMIN",
        ),
        *("ZREM", "ZREMRANGEBYSCORE"),
    ),
    others=(
        (("EVALSHA", "0" * 40, "0"), "+evalsha"),
        (("SCRIPT", "LOAD", "return 1"), "+script|load"),
        (("TIME",), "+time"),
        (("PUBLISH", definition_keys.DEFINITIONS_CHANNEL, ""), f"+publish &{definition_keys.DEFINITIONS_CHANNEL}"),
        (("SUBSCRIBE", definition_keys.DEFINITIONS_CHANNEL), f"+subscribe &{definition_keys.DEFINITIONS_CHANNEL}"),
        (("PUBLISH", queue_keys.nudge_channel("0"), ""), f"+publish &{queue_keys.nudge_channel('*')}"),
        (("SUBSCRIBE", queue_keys.nudge_channel("0")), f"+subscribe &{queue_keys.nudge_channel('*')}"),
        (("UNSUBSCRIBE",), "+unsubscribe"),
    ),
)
QUEUE = Needs(
    families=JOB_FAMILIES,
    reads=("EXISTS", "GET", "WATCH", "ZCARD", "ZRANGE", "ZRANGEBYSCORE", "ZSCORE"),
    writes=("DEL", "EXPIRE", "INCRBY", "PEXPIRE", "PSETEX", "SET", "ZADD", "ZINCRBY", "ZREM", "ZREMRANGEBYSCORE"),
    others=(
        (("INFO",), "+info"),
        (("DBSIZE",), "+dbsize"),
        (("UNWATCH",), "+unwatch"),
        (("MULTI",), "+multi"),
        (("EXEC",), "+exec"),
    ),
)
"""arq's: it looks at the server, too, before it takes a job."""
REPLICAS = Needs((), (), (), ((("WAIT", "1", "1"), "+wait"),))
"""With DISPATCHER_MIN_REPLICAS."""
RECOVERY = Needs((), (), (), ((("PUBSUB", "NUMSUB", queue_keys.nudge_channel("0")), "+pubsub|numsub"),))
"""Without it a killed worker is found by the end of its lease; nothing else is missed."""
FUNCTIONS = Needs(
    (),
    (),
    (),
    (
        (("FCALL", "f", "0"), "+fcall"),
        (("FUNCTION", "LOAD", ""), "+function|load"),
        (("FUNCTION", "LIST"), "+function|list"),
        (("FUNCTION", "DELETE", ""), "+function|delete"),
    ),
)
"""Without these, or a server that has them, scripts are sent by their names."""


def of_store(min_replicas: int) -> tuple[Needs, ...]:
    """Needs of events, definitions and clients."""
    return (STORE, REPLICAS) if min_replicas else (STORE,)


async def missing(redis: Redis, *needed: Needs) -> list[str]:
    """The ACL rules that the user lacks. Raises StoreUnavailable, as StoreUnusable where that cannot even be asked."""
    lacking: list[str] = []
    for needs in needed:
        grid = [*product((*needs.reads, *needs.writes), needs.families)]
        asked = [
            *((name, family.replace("*", "0")) for name, family in grid),
            *(command for command, _ in needs.others),
        ]
        answers = await _may(redis, asked)
        allowed = {cell for cell, may in zip(grid, answers, strict=False) if may}
        others = zip(needs.others, answers[len(grid) :], strict=True)
        lacking += [*_lacking(needs, allowed), *(rule for (_, rule), may in others if not may)]
    return list(dict.fromkeys(lacking))


async def require(redis: Redis, *needed: Needs) -> None:
    """Raises StoreUnusable, which names the rules, when the user lacks any."""
    if rules := await missing(redis, *needed):
        raise StoreUnusable(f"the user that Redis is used as may not do all that is needed: {advice(rules)}")


def advice(rules: Sequence[str]) -> str:
    """The rules to give to the user, in a sentence."""
    return f"allow it {' '.join(rules)} (ACL SETUSER; docs/operations.md, Permissions, has the whole rule)"


def _lacking(needs: Needs, allowed: set[tuple[str, str]]) -> Iterator[str]:
    """A family is lacking when no command reads, or none writes it; a command, when it may be used on none.

    Without any command nothing can be said of families, and the other way round.
    """
    commands = {name for name, _ in allowed}
    if needs.families and not allowed:
        yield from ("+@read", "+@write", *(f"~{family}" for family in needs.families))
        return
    for family in needs.families:
        usable = {name for name, of in allowed if of == family}
        kinds = [group for group in (needs.reads, needs.writes) if commands & {*group}]
        if any(usable.isdisjoint(group) for group in kinds):
            yield f"~{family}"
    for name in (*needs.reads, *needs.writes):
        if name not in commands:
            yield f"+{name.lower()}"


async def _may(redis: Redis, commands: Sequence[Command]) -> list[int]:
    """By its text: whether scripts may be loaded is among what is asked."""
    with guarded():
        asked: Any = redis
        answers: list[int] = await asked.execute_command(*_MAY.call((), orjson.dumps(commands)).by_text())
    if not answers:
        raise StoreUnusable("Redis is too old: use Redis 7.0 or later, or Valkey")
    return answers
