"""Documents, indexes, announcements and audit entries change in one step, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from dispatcher.model.audit_entry import Author, Entry
from dispatcher.store.audit_log.log import AuditLog, Noting
from dispatcher.store.audit_log.reading import AuditFilter, AuditReader
from dispatcher.store.documents.swap import Document, Noted, Operation, publish, swap
from dispatcher.store.keys import definitions as keys

ACCOUNT, USER, INDEX, QUEUE, NAMES, CODE = (f"{{def}}:{name}" for name in ("a:1", "u:1", "i", "q", "n", "code"))
NEW = Document(ACCOUNT, b"", orjson.dumps({"id": "1", "name": "first"}))


@pytest.fixture
def noting(redis: Redis) -> Noting:
    return Noting(AuditLog(redis), Author("someone"), "account.create", 1)


async def entries(redis: Redis) -> list[Entry]:
    return (await AuditReader(redis).page(AuditFilter(), None, 100)).items


@pytest.fixture
async def told(redis: Redis) -> AsyncIterator[asyncio.Queue[bytes]]:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(ready: asyncio.Event) -> None:
        async with redis.pubsub() as subscription:
            await subscription.subscribe("news")
            async for message in subscription.listen():
                ready.set()
                if message["type"] == "message":
                    heard.put_nowait(message["data"])

    ready = asyncio.Event()
    task = asyncio.create_task(listen(ready))
    await ready.wait()
    yield heard
    task.cancel()
    await asyncio.wait([task])


async def test_every_kind_of_operation_is_made_with_the_documents(redis: Redis, told: asyncio.Queue[bytes]) -> None:
    await redis.hset(INDEX, mapping={"old": "1", "older": "1"})  # type: ignore[misc]
    await redis.zadd(QUEUE, {"old": 5})
    await redis.sadd(NAMES, "old")  # type: ignore[misc]
    await redis.set("{def}:gone", "x")
    operations = [
        Operation("HSET", INDEX, ("alias", "1", "other alias", "1")),
        Operation("HDEL", INDEX, ("old", "older")),
        Operation("ZADD", QUEUE, (7, "1")),
        Operation("ZREM", QUEUE, ("old",)),
        Operation("SADD", NAMES, ("a", "b")),
        Operation("SREM", NAMES, ("old",)),
        Operation("SET", CODE, ("secret", "PX", 60_000)),
        Operation("DEL", "{def}:gone"),
        publish("news", "1"),
    ]
    field = Document(USER, b"", b'{"id":"u"}', "u")
    assert await swap(redis, [NEW, field], operations)
    assert await redis.get(ACCOUNT) == NEW.after
    assert await redis.hget(USER, "u") == b'{"id":"u"}'  # type: ignore[misc]
    assert await redis.hgetall(INDEX) == {b"alias": b"1", b"other alias": b"1"}  # type: ignore[misc]
    assert await redis.zrange(QUEUE, 0, -1, withscores=True) == [(b"1", 7.0)]
    assert await redis.smembers(NAMES) == {b"a", b"b"}  # type: ignore[misc]
    assert await redis.get(CODE) == b"secret"
    assert 0 < await redis.pttl(CODE) <= 60_000
    assert await redis.exists("{def}:gone") == 0
    assert await told.get() == b"1"


@pytest.mark.parametrize("stored", ['{"id":"1","name":"other"}', None])
@pytest.mark.parametrize("field", ["", "f"])
async def test_a_document_that_is_not_what_was_read_stops_everything(
    redis: Redis, noting: Noting, stored: str | None, field: str
) -> None:
    if stored is not None:
        await (redis.hset(USER, field, stored) if field else redis.set(USER, stored))  # type: ignore[misc]
    other = Document(USER, b'{"id":"1"}', b'{"id":"1","name":"second"}', field)
    made = [Operation("HSET", INDEX, ("alias", "1")), publish("news", "1")]
    assert not await swap(redis, [NEW, other], made, noting=noting, entries=[Noted("account", "1", NEW)])
    assert await redis.exists(ACCOUNT, INDEX) == 0
    assert await entries(redis) == []


async def test_a_deleted_document_and_its_field_are_gone(redis: Redis) -> None:
    await redis.set(ACCOUNT, NEW.after)
    await redis.hset(USER, "u", "{}")  # type: ignore[misc]
    assert await swap(redis, [Document(ACCOUNT, NEW.after, b""), Document(USER, b"{}", b"", "u")])
    assert await redis.exists(ACCOUNT, USER) == 0


async def test_an_index_of_another_type_is_found_before_anything_is_written(redis: Redis, noting: Noting) -> None:
    await redis.set(INDEX, "no hash")
    wrong = [Operation("ZADD", QUEUE, (1, "1")), Operation("HSET", INDEX, ("alias", "1"))]
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await swap(redis, [NEW], wrong, noting=noting, entries=[Noted("account", "1", NEW)])
    assert await redis.exists(ACCOUNT, QUEUE) == 0
    assert await entries(redis) == []


async def test_one_change_has_as_many_entries_as_objects_and_they_are_chained(redis: Redis, noting: Noting) -> None:
    user = Document(USER, b"", orjson.dumps({"id": "u", "signIn": {"password": "p4ss"}, "links": [{"code": "c0de-x"}]}))
    hidden = frozenset({"signIn", "links.code"})
    noted = [Noted("account", "1", NEW), Noted("user", "u", user, hidden)]
    assert await swap(redis, [NEW, user], noting=noting, entries=noted)
    newer = Document(ACCOUNT, NEW.after, orjson.dumps({"id": "1", "name": "second"}))
    assert await swap(redis, [newer], noting=noting, entries=[Noted("account", "1", newer)])
    found = [entry.action() for entry in reversed(await entries(redis))]
    assert [(action.kind, action.object_id) for action in found] == [("account", "1"), ("user", "u"), ("account", "1")]
    assert (found[2].before, found[2].after) == ({"name": "first"}, {"name": "second"})
    assert found[1].after == {"id": "u", "signIn.password": "changed", "links": [{"code": "changed"}]}
    verdict = await AuditReader(redis).verify()
    assert (verdict.well, verdict.entries) == (True, 3)
    stored = b"".join(fields[b"e"] for _, fields in await redis.xrange(keys.AUDIT_STREAM))
    assert b"p4ss" not in stored
    assert b"c0de-x" not in stored


async def test_changes_of_two_processes_are_in_one_chain(redis: Redis, noting: Noting) -> None:
    other = Noting(AuditLog(redis), Author("someone else"), "account.create", 2)
    documents = [Document(f"{{def}}:a:{n}", b"", orjson.dumps({"id": str(n)})) for n in range(20)]
    made = [
        swap(redis, [one], noting=(noting, other)[n % 2], entries=[Noted("account", str(n), one), Noted("x", "y", one)])
        for n, one in enumerate(documents)
    ]
    assert all(await asyncio.gather(*made))
    verdict = await AuditReader(redis).verify()
    assert (verdict.well, verdict.entries) == (True, 40)
