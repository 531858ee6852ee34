"""A permission that the user of Redis lacks is found before it is needed, and named as the rule that it lacks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from dispatcher.errors import StoreUnusable
from dispatcher.store.health.doctor.examination import examine, examine_queue
from dispatcher.store.health.doctor.findings import Check, Level
from dispatcher.store.health.doctor.permissions import FUNCTIONS, QUEUE, RECOVERY, REPLICAS, STORE, missing, require
from dispatcher.store.redis.connection import connect, guarded
from dispatcher.store.secrets.sealing import new_key

DOCUMENTED = re.search(
    r"^ACL SETUSER dispatcher on >PASSWORD (.+)$",
    (Path(__file__).parents[2] / "docs/operations.md").read_text(),
    re.MULTILINE,
)
EVERYTHING = ("allkeys", "allchannels", "+@all")

As = Callable[..., Awaitable[Redis]]


@pytest.fixture
async def as_user(server_url: str) -> AsyncIterator[As]:
    """Connects as a user with these rules."""
    opened: list[Redis] = []

    async def become(*rules: str) -> Redis:
        async with connect(server_url) as admin:
            await admin.execute_command("ACL", "SETUSER", "u", "reset", "on", ">pw", *rules)  # type: ignore[no-untyped-call]
        opened.append(connect(server_url.replace("unix://", "unix://u:pw@")))
        return opened[-1]

    yield become
    for client in opened:
        await client.aclose()


def documented() -> list[str]:
    assert DOCUMENTED is not None
    return DOCUMENTED[1].split()


async def test_documented_rule_lacks_nothing(as_user: As) -> None:
    assert await missing(await as_user(*documented()), STORE, QUEUE, REPLICAS, RECOVERY, FUNCTIONS) == []


@pytest.mark.parametrize("rule", [rule for rule in documented() if rule[0] in "+~&" and rule != "+@connection"])
async def test_no_part_of_the_documented_rule_can_be_left_out(as_user: As, rule: str) -> None:
    redis = await as_user(*(kept for kept in documented() if kept != rule))
    if rule == "+eval":
        with pytest.raises(StoreUnusable, match="eval"):
            await missing(redis, STORE)
    else:
        assert await missing(redis, STORE, QUEUE, REPLICAS, FUNCTIONS) != []


@pytest.mark.parametrize(
    ("taken", "lacking"),
    [
        (("-hset", "-evalsha"), ["+hset", "+evalsha"]),
        (
            ("resetkeys", "~{p*}:*", "~dispatcher:*", "~idem:*", "~limit:*", "~redelivery:*", "~revoked:*", "~token*"),
            ["~{def}:*"],
        ),
        (
            ("resetchannels", "&dispatcher:nudge:*"),
            ["+publish &dispatcher:definitions", "+subscribe &dispatcher:definitions"],
        ),
    ],
)
async def test_what_is_lacking_is_named(as_user: As, taken: tuple[str, ...], lacking: list[str]) -> None:
    redis = await as_user(*EVERYTHING, *taken)
    assert await missing(redis, STORE) == lacking
    with pytest.raises(StoreUnusable) as caught:
        await require(redis, STORE)
    assert " ".join(lacking) in str(caught.value)
    checks = await examine(redis, 8, [new_key()])
    assert checks[0].level is Level.FAIL
    assert " ".join(lacking) in checks[0].text


async def test_doctor_tells_what_workers_lack_at_the_job_queue(as_user: As) -> None:
    redis = await as_user(*EVERYTHING, "-info")
    found = await examine_queue(redis)
    assert (found.level, "+info" in found.text) == (Level.FAIL, True)
    checks: dict[str, Check] = {check.name: check for check in await examine(redis, 8, [new_key()])}
    assert checks["permissions"].level is Level.OK
    assert checks["server"].level is Level.WARN


async def test_doctor_says_what_recovery_lacks_and_that_nothing_else_does(as_user: As) -> None:
    redis = await as_user(*EVERYTHING, "-pubsub")
    checks: dict[str, Check] = {check.name: check for check in await examine(redis, 8, [new_key()])}
    assert checks["permissions"].level is Level.WARN
    assert "+pubsub|numsub" in checks["permissions"].text
    await require(redis, STORE)


@pytest.mark.parametrize(("rules", "said"), [((), "kept as functions"), (("-fcall",), "sent by their names")])
async def test_doctor_says_how_scripts_are_sent(as_user: As, rules: tuple[str, ...], said: str) -> None:
    redis = await as_user(*EVERYTHING, *rules)
    checks: dict[str, Check] = {check.name: check for check in await examine(redis, 8, [new_key()])}
    assert checks["scripts"].level is Level.OK
    assert said in checks["scripts"].text
    assert ("+fcall" in checks["scripts"].text) is bool(rules)


async def test_a_script_that_meets_a_missing_permission_is_told_so(as_user: As) -> None:
    redis = await as_user(*EVERYTHING, "-hset")
    with pytest.raises(StoreUnusable, match="ACL rule"), guarded():
        await redis.eval("return redis.call('HSET', KEYS[1], 'a', 'b')", 1, "{p0}:own")  # type: ignore[misc]


async def test_a_database_that_there_is_not_is_told_so(server_url: str) -> None:
    async with connect(f"{server_url}?db=99") as redis:
        with pytest.raises(StoreUnusable, match="DISPATCHER_REDIS_URL"), guarded():
            await redis.ping()


STORE_FOLDER = Path(__file__).parents[2] / "dispatcher/store"
OF_PYTHON = re.compile(r"\b(?:redis|_redis|client|_client|pipeline)\.([a-z_]+)\(")
OF_A_TABLE = re.compile(r"\b([A-Z]+) = '(?:any|hash|list|set|stream|string|zset)'")
"""A command of a script that runs whichever it is told, with the kind of key that it is for."""
AS_SENT = {"delete": "DEL", "incr": "INCRBY", "eval": "EVALSHA", "script_load": "SCRIPT", "pubsub_numsub": "PUBSUB"}
AS_SENT |= {"hscan_iter": "HSCAN", "sscan_iter": "SSCAN", "zscan_iter": "ZSCAN"}
NO_COMMAND = {
    "aclose",
    "execute",
    "execute_command",
    "from_pool",
    "get_default_node",
    "get_node_from_key",
    "get_primaries",
    "initialize",
    "keyslot",
    "learn_of",
    "node_name",
    "send_on",
    "send_to_each",
    "target",
}
OF_ANOTHER = {"config_get": "the doctor goes on without", "enqueue_job": "arq's", "info": "watching goes on without"}
OF_ANOTHER |= dict.fromkeys(
    ("xack", "xautoclaim", "xgroup_create", "xgroup_delconsumer", "xinfo_consumers", "xreadgroup"),
    "intake's, at streams of its own",
)
OF_CONNECTION = {"pipeline", "pubsub"}


def asked_for() -> set[str]:
    others = (*STORE.others, *RECOVERY.others, *FUNCTIONS.others)
    needed = (*STORE.reads, *STORE.writes, *(command[0] for command, _ in others))
    return {*needed, *(command[0] for command, _ in QUEUE.others), *QUEUE.reads}


def test_every_command_of_a_script_is_asked_for() -> None:
    scripts = "\n".join(path.read_text() for path in (STORE_FOLDER / "lua").rglob("*.lua"))
    used = set(re.findall(r"\b(?:p?call|ask)\('([A-Z]+)'", scripts)) | set(OF_A_TABLE.findall(scripts))
    assert len(used) > 30
    assert used - asked_for() == set()


def test_every_command_of_a_module_is_asked_for() -> None:
    used = {name for path in STORE_FOLDER.rglob("*.py") for name in OF_PYTHON.findall(path.read_text())}
    sent = {AS_SENT.get(name, name.upper()) for name in used - NO_COMMAND - OF_ANOTHER.keys() - OF_CONNECTION}
    assert len(sent) > 30
    assert sent - asked_for() == set()
