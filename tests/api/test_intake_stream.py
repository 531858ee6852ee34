"""Events from a Redis stream: accepted once, acknowledged afterwards, and set aside when they are none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from redis.crc import key_slot

from dispatcher.api.watch.verdict import VERDICT
from dispatcher.emitting import RedisEmitter
from dispatcher.emitting.intake import Intake
from dispatcher.emitting.stream_source import StreamSource
from dispatcher.errors import ConfigurationError, RequestError, StoreUnavailable
from dispatcher.model.integration import Revision
from dispatcher.store.health.set_aside import note, set_aside
from dispatcher.store.keys import deployment as keys
from dispatcher.store.queue.acting import intake
from dispatcher.store.queue.acting.intake import GROUP, MOST_FIELD_BYTES, MOST_FIELDS, IntakeStream, poison_of
from tests.api.conftest import PRODUCT, Api, publish
from tests.waiting import until

STREAM = "orders"
VALID: dict[str, Any] = {"type": "upgrade", "productId": PRODUCT, "accountId": "A-1"}


@pytest.fixture
async def emitter(api: Api, redis_url: str) -> AsyncIterator[RedisEmitter]:
    async with RedisEmitter(redis_url, client_id="intake") as made:
        yield made


async def add(api: Api, event: Any, **fields: str) -> str:
    text = event if isinstance(event, bytes) else json.dumps(event).encode()
    given: dict[Any, Any] = {"event": text, **fields}
    return str((await api.redis.xadd(STREAM, given)).decode())


def intake_of(api: Api, emitter: RedisEmitter, source: StreamSource) -> Intake:
    return Intake(emitter, source, partial(note, api.redis, source.name))


async def drained(api: Api, emitter: RedisEmitter, stream: IntakeStream, idle_ms: int = 60_000) -> None:
    """Take what this consumer has left, what another left so long ago, and what is new."""
    intake = intake_of(api, emitter, StreamSource(stream, wait_ms=10, idle_ms=idle_ms))
    while await intake.step():
        pass
    await intake.step()


async def pending(api: Api) -> int:
    return int((await api.redis.xpending(STREAM, GROUP))["pending"])


async def events(api: Api) -> list[Any]:
    return list(reversed((await api.json("GET", "/v1/events", 200))["data"]))


async def test_entries_are_accepted_in_their_order_and_acknowledged(api: Api, emitter: RedisEmitter) -> None:
    stream, stop = IntakeStream(api.redis, STREAM, "a"), asyncio.Event()
    await add(api, VALID | {"payload": {"n": 0}})  # before anybody listens
    running = asyncio.create_task(intake_of(api, emitter, StreamSource(stream)).run(stop))
    for n in range(1, 5):
        await add(api, VALID | {"payload": {"n": n}})

    async def all_there() -> bool:
        return len(await events(api)) == 5 and await pending(api) == 0

    await until(all_there)
    assert [(one["sequence"], one["payload"]["n"]) for one in await events(api)] == [(n + 1, n) for n in range(5)]
    stop.set()
    await add(api, VALID)  # ends the wait for new ones
    await running


async def test_an_entry_that_was_accepted_and_not_acknowledged_makes_no_second_event(
    api: Api, emitter: RedisEmitter
) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    await stream.prepare()
    await stream.prepare()
    await add(api, VALID)
    (entry,) = await stream.new(10, 10)
    await emitter.emit_each_once([(entry.fields[b"event"], f"id:{entry.id}")], f"stream\n{STREAM}\n")
    await drained(api, emitter, stream)
    assert (len(await events(api)), await pending(api)) == (1, 0)


async def test_a_key_of_the_emitter_makes_one_event_of_two_entries(api: Api, emitter: RedisEmitter) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    await stream.prepare()
    await add(api, VALID, key="order-1")
    await add(api, VALID, key="order-1")
    await drained(api, emitter, stream)
    assert (len(await events(api)), await pending(api)) == (1, 0)


async def test_what_is_no_event_is_set_aside_with_its_reason_and_holds_nothing_up(
    api: Api, emitter: RedisEmitter
) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    await stream.prepare()
    bad = [(await api.redis.xadd(STREAM, {"other": "field"})).decode()]
    bad.append(await add(api, b"{"))
    bad.append(await add(api, VALID | {"type": "nothing"}))
    bad.append(await add(api, VALID, key="k\n"))
    await add(api, VALID)
    await drained(api, emitter, stream)
    assert (len(await events(api)), await pending(api)) == (1, 0)
    aside = list(reversed(await stream.poisoned(10)))
    assert [one.fields[b"entry"].decode() for one in aside] == bad
    codes = [one.fields[b"reason"].decode().partition(":")[0].split(" ")[0] for one in aside]
    assert codes == ["missing_field", "invalid_json", "unknown_type", "invalid_idempotency_key"]
    assert aside[2].fields[b"event"] == json.dumps(VALID | {"type": "nothing"}).encode()


async def test_entries_of_a_consumer_that_is_gone_are_taken_over(api: Api, emitter: RedisEmitter) -> None:
    gone, stream = IntakeStream(api.redis, STREAM, "gone"), IntakeStream(api.redis, STREAM, "a")
    await gone.prepare()
    await add(api, VALID)
    (entry,) = await gone.new(10, 10)
    assert await stream.own(10) == []
    assert await stream.adopt(10, idle_ms=0) == [entry]
    await drained(api, emitter, stream)
    assert (len(await events(api)), await pending(api)) == (1, 0)


async def test_entries_stay_where_they_are_while_the_store_takes_nothing(
    api: Api, emitter: RedisEmitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    await stream.prepare()
    await add(api, VALID)

    async def away(*_: Any) -> Any:
        raise StoreUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(emitter, "emit_each_once", away)
        with pytest.raises(StoreUnavailable):
            await drained(api, emitter, stream)
    assert await pending(api) == 1
    await drained(api, emitter, stream)
    assert (len(await events(api)), await pending(api)) == (1, 0)


async def test_what_is_set_aside_is_a_problem_of_the_verdict_until_it_is_dealt_with(
    api: Api, emitter: RedisEmitter
) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    await add(api, VALID | {"productId": "P-2"})
    await add(api, b"{")
    await drained(api, emitter, stream)
    (problem,) = await problems(api)
    assert problem["text"].startswith("2 entries are set aside of stream orders since ")
    assert "invalid_json" in problem["text"]
    commands = [one["command"] for one in problem["actions"]]
    assert [one.partition(" --stream orders ")[2] for one in commands[:2]] == ["--poison", "--put-back"]
    figures = await (await api.ask("GET", "/metrics")).text()
    assert 'dispatcher_intake_set_aside{source="stream orders"} 2.0' in figures
    await publish(api.services, Revision(urls={"createUrl": "https://host.example/hook"}), products=("P-2",))
    assert await stream.put_back() == 2
    await until(lambda: emitter.emit(VALID | {"productId": "P-2", "type": "create"}), despite=(RequestError,))
    await drained(api, emitter, stream)
    assert [one.fields[b"event"] for one in await stream.poisoned(10)] == [b"{"]
    assert len([one for one in await events(api) if one["productId"] == "P-2"]) == 2
    assert await stream.discard() == 1
    await drained(api, emitter, stream)
    assert (await problems(api), await set_aside(api.redis)) == ([], [])


async def problems(api: Api) -> list[Any]:
    """Those of intake, judged at this moment."""
    assert api.http.server is not None
    await api.http.server.app[VERDICT].evaluation.judge(out_of_turn=True)  # type: ignore[attr-defined]
    return [one for one in (await api.json("GET", "/v1/status", 200))["problems"] if one["kind"] == "intake_poison"]


async def test_a_note_keeps_since_when_and_why_and_what_nobody_wrote_is_passed_over(api: Api) -> None:
    await note(api.redis, "queue a b", 1, "no event")
    (first,) = await set_aside(api.redis)
    await note(api.redis, "queue a b", 3)
    (second,) = await set_aside(api.redis)
    assert (second.entries, second.reason, second.since_ms) == (3, "no event", first.since_ms)
    await api.redis.hset(keys.SET_ASIDE, "stream x", "no JSON")  # type: ignore[misc]
    assert await set_aside(api.redis) == [second]


@pytest.mark.parametrize("key", [STREAM, "{orders}:poison"])
async def test_a_key_that_is_no_stream_is_refused_before_anything_is_taken(api: Api, key: str) -> None:
    await api.redis.set(key, "x")
    with pytest.raises(ConfigurationError, match=f"{key} is a key of Redis that is no stream"):
        await IntakeStream(api.redis, STREAM, "a").prepare()


async def test_a_stream_that_is_deleted_is_made_again(api: Api, emitter: RedisEmitter) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    source = StreamSource(stream, wait_ms=10)
    await drained(api, emitter, stream)
    assert await source.next() == []
    await api.redis.delete(STREAM)
    with pytest.raises(StoreUnavailable, match="it is made again"):
        await source.next()
    source.again()
    await add(api, VALID)
    assert [len(await source.next()) for _ in range(2)] == [0, 1]


async def test_an_entry_that_is_deleted_before_it_is_taken_again_is_said_to_be_gone(
    api: Api, emitter: RedisEmitter
) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    await stream.prepare()
    entry = await add(api, VALID)
    await stream.new(10, 10)
    await api.redis.xdel(STREAM, entry)
    await drained(api, emitter, stream)
    (aside,) = await stream.poisoned(10)
    assert aside.fields == {
        b"entry": entry.encode(),
        b"reason": b"gone: it was deleted at its source before it was accepted",
    }
    assert await pending(api) == 0


async def test_what_is_set_aside_has_bounds(api: Api, emitter: RedisEmitter) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    fields: dict[Any, Any] = {f"f{n}": "v" for n in range(100)} | {"n" * 1000: "v", "reason": "mine"}
    await api.redis.xadd(STREAM, fields | {"event": b"x" * (MOST_FIELD_BYTES + 1)})
    await drained(api, emitter, stream)
    (aside,) = await stream.poisoned(10)
    assert len(aside.fields[b"event"]) == MOST_FIELD_BYTES
    assert len(aside.fields) == MOST_FIELDS + 2
    assert aside.fields[b"reason"].startswith(b"body_too_large")


async def test_what_a_lost_consumer_has_left_is_found_behind_what_others_hold(api: Api) -> None:
    busy, gone, stream = (IntakeStream(api.redis, STREAM, name) for name in ("busy", "gone", "a"))
    await busy.prepare()
    for _ in range(30):
        await add(api, VALID)
    await busy.new(29, 10)
    (left,) = await gone.new(1, 10)
    await api.redis.xclaim(STREAM, GROUP, "gone", 0, [left.id], idle=100_000)
    assert await stream.adopt(1, idle_ms=50_000) == [left]
    assert await stream.adopt(1, idle_ms=50_000) == []


async def test_consumers_that_hold_nothing_are_forgotten_after_a_day(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = IntakeStream(api.redis, STREAM, "a")
    await stream.prepare()
    await add(api, VALID)
    await IntakeStream(api.redis, STREAM, "holds").new(1, 10)
    await api.redis.xgroup_createconsumer(STREAM, GROUP, "idle")
    await stream.prepare()
    assert await consumers(api) == {"holds", "idle"}
    monkeypatch.setattr(intake, "FORGOTTEN_MS", -1)
    await stream.prepare()
    assert await consumers(api) == {"holds"}


async def consumers(api: Api) -> set[str]:
    return {one["name"].decode() for one in await api.redis.xinfo_consumers(STREAM, GROUP)}


@pytest.mark.parametrize(("name", "poison"), [("a", "{a}:poison"), ("x{a}y", "x{a}y:poison"), ("a{b", "{a{b}:poison")])
def test_poison_lies_in_the_slot_of_its_stream(name: str, poison: str) -> None:
    assert poison_of(name) == poison
    assert key_slot(poison.encode()) == key_slot(name.encode())


@pytest.mark.parametrize("name", ["a}b", "{}a"])
def test_a_name_whose_slot_nothing_else_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="give it another name"):
        poison_of(name)
