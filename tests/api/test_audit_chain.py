"""Entries of the audit log are chained: whatever is changed, cut off or damaged by hand is told."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from dispatcher.clock import DAY_MS
from dispatcher.errors import StoreDamaged, StoreUnavailable
from dispatcher.model.integration import Revision
from dispatcher.store.audit_log import log as audit_log
from dispatcher.store.audit_log.log import AuditLog
from dispatcher.store.audit_log.reading import AuditReader, Kept
from dispatcher.store.health.doctor.examination import examine
from dispatcher.store.health.doctor.findings import Level
from dispatcher.store.keys.definitions import AUDIT_HEAD as HEAD
from dispatcher.store.keys.definitions import AUDIT_STREAM as STREAM
from dispatcher.store.redis.connection import connect
from tests.api.audit_entries import DEED
from tests.api.conftest import Api, Start, publish


async def written(redis: Redis, count: int) -> AuditLog:
    log = AuditLog(redis)
    for _ in range(count):
        await log.append(DEED)
    return log


async def test_an_unbroken_chain_verifies(redis: Redis) -> None:
    assert (await AuditReader(redis).verify()).entries == 0
    await written(redis, 3)
    verdict = await AuditReader(redis).verify()
    assert (verdict.entries, verdict.first, verdict.head.n, verdict.broken) == (3, 1, 3, ())


async def tampered(redis: Redis, position: bytes, change: Any) -> None:
    """Rewrite the stream with one entry changed, left out (None) or doubled, as somebody with a shell could."""
    rows = await redis.xrange(STREAM)
    await redis.delete(STREAM)
    for at, fields in rows:
        for text in change(fields[b"e"]) if at == position else [fields[b"e"]]:
            await redis.xadd(STREAM, {"e": text})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: [text.replace(b"pauseLane", b"resumeLane")], "entry 2 was changed"),
        (lambda text: [], "entries 2 to 2 are missing"),
        (lambda text: [text, text], "one of them was added"),
        (lambda text: [b"nonsense"], "is no audit entry"),
        (lambda text: [b'{"n": 2, "previous": ""}'], "is no audit entry"),
    ],
    ids=["changed", "removed", "added", "garbage", "fields"],
)
async def test_a_chain_that_somebody_rewrote_is_told(redis: Redis, change: Any, told: str) -> None:
    await written(redis, 3)
    await tampered(redis, (await redis.xrange(STREAM))[1][0], change)
    verdict = await AuditReader(redis).verify()
    assert not verdict.well
    assert any(told in text for text in verdict.broken), verdict.broken


async def test_an_end_that_was_cut_off_or_changed_is_told(redis: Redis) -> None:
    await written(redis, 3)
    last = (await redis.xrange(STREAM))[-1]
    await redis.xdel(STREAM, last[0])
    assert "entries 3 to 3 are missing" in (await AuditReader(redis).verify()).broken[0]
    await redis.xadd(STREAM, {"e": last[1][b"e"].replace(b"someone", b"anyone!")})
    assert "entry 3 is not the one" in (await AuditReader(redis).verify()).broken[0]


async def test_a_beginning_that_was_cut_off_is_told(redis: Redis) -> None:
    kept = Kept(365 * DAY_MS, 100_000)
    await written(redis, 3)
    assert (await AuditReader(redis).verify(kept)).well
    await redis.xdel(STREAM, (await redis.xrange(STREAM, count=1))[0][0])
    verdict = await AuditReader(redis).verify(kept)
    assert len(verdict.broken) == 1
    assert "entries 1 to 1 are missing at the beginning" in verdict.broken[0]
    assert (await AuditReader(redis).verify(Kept(365 * DAY_MS, 2))).well


async def test_a_beginning_that_was_old_enough_to_go_is_no_break(redis: Redis) -> None:
    await written(redis, 2)
    await asyncio.sleep(0.05)
    await written(redis, 1)
    for _ in range(2):
        await redis.xdel(STREAM, (await redis.xrange(STREAM, count=1))[0][0])
    assert (await AuditReader(redis).verify(Kept(40, 100_000))).well
    assert not (await AuditReader(redis).verify(Kept(DAY_MS, 100_000))).well


@pytest.mark.parametrize("garbage", ["garbage", "3", "x:y", "3:" + "z" * 64, b"\xff\xfe", "-1:" + "0" * 64])
async def test_a_damaged_head_is_told_with_its_remedy(redis: Redis, garbage: str | bytes) -> None:
    log = await written(redis, 3)
    newest = (await redis.get(HEAD)).decode()
    await redis.set(HEAD, garbage)
    for one in (log, AuditLog(redis)):
        with pytest.raises(StoreDamaged, match="audit-log --verify"):
            await one.append(DEED)
    assert await redis.xlen(STREAM) == 3
    told = (await AuditReader(redis).verify()).broken
    assert len(told) == 1
    assert f"SET '{HEAD}' {newest}`" in told[0]
    await redis.set(HEAD, newest)
    await log.append(DEED)
    assert (await AuditReader(redis).verify()).well


async def test_changes_are_refused_while_the_head_is_damaged(api: Api) -> None:
    lane = (await api.json("GET", f"/v1/events/{(await api.emit())['id']}", 200))["integrationId"]
    await api.redis.set(HEAD, "garbage")
    await api.refused("POST", f"/v1/lanes/{lane}/pause", 503, "store_damaged")
    await api.refused("POST", "/v1/clients", 503, "store_damaged", json={"scopes": ["events:read"]})
    query = 'mutation { createProductIntegration(input: { name: "n" }) { userErrors { code } } }'
    answer = await api.ask("POST", "/graphql", json={"query": query})
    assert (answer.status, "audit-log --verify" in await answer.text()) == (503, True)
    check = next(one for one in await examine(api.redis, 16, []) if one.name == "audit log")
    assert (check.level, "audit-log --verify" in check.text) == (Level.FAIL, True)
    await api.emit()


async def test_a_log_in_whose_place_is_something_else_is_told_to_whoever_reads_it(api: Api) -> None:
    await written(api.redis, 3)
    await api.redis.rename(STREAM, "kept")
    await api.redis.set(STREAM, "something else")
    body = await api.refused("GET", "/v1/audit", 503, "store_damaged")
    assert "RENAME" in body["errors"][0]["message"]
    verdict = await AuditReader(api.redis).verify()
    assert (verdict.well, "RENAME" in verdict.broken[0]) == (False, True)
    check = next(one for one in await examine(api.redis, 16, []) if one.name == "audit log")
    assert (check.level, "RENAME" in check.text) == (Level.FAIL, True)
    await api.redis.rename("kept", STREAM)
    assert len((await api.json("GET", "/v1/audit", 200))["data"]) >= 3
    assert (await AuditReader(api.redis).verify()).well


@pytest.mark.parametrize("key", [HEAD, STREAM])
async def test_nothing_is_changed_while_something_else_is_in_the_place_of_log_or_head(api: Api, key: str) -> None:
    await written(api.redis, 3)
    await api.redis.rename(key, "kept")
    await api.redis.rpush(key, "something else")  # type: ignore[misc]
    before = await api.json("GET", "/v1/clients", 200)
    await api.refused("POST", "/v1/clients", 503, "store_damaged", json={"name": "late", "scopes": ["events:write"]})
    assert await api.json("GET", "/v1/clients", 200) == before
    await api.redis.rename("kept", key)
    assert (await AuditReader(api.redis).verify()).well


async def test_a_head_of_another_type_is_told_with_its_remedy(redis: Redis) -> None:
    await written(redis, 3)
    newest = (await redis.get(HEAD)).decode()
    await redis.delete(HEAD)
    await redis.lpush(HEAD, "something else")  # type: ignore[misc]
    assert f"SET '{HEAD}' {newest}`" in (await AuditReader(redis).verify()).broken[0]
    check = next(one for one in await examine(redis, 16, []) if one.name == "audit log")
    assert (check.level, "audit-log --verify" in check.text) == (Level.FAIL, True)
    await redis.set(HEAD, newest)
    assert (await AuditReader(redis).verify()).well


async def test_entries_of_several_processes_make_one_chain(redis: Redis, redis_url: str) -> None:
    others = [connect(redis_url) for _ in range(4)]
    logs = [AuditLog(other) for other in others]
    await asyncio.gather(*(log.append(DEED) for log in logs for _ in range(25)))
    verdict = await AuditReader(redis).verify()
    assert (verdict.entries, verdict.broken) == (100, ())
    for other in others:
        await other.aclose()


async def test_changes_of_several_processes_are_each_made_once(start: Start, redis: Redis) -> None:
    apis = [await start() for _ in range(3)]
    made = await publish(apis[0].services, Revision(urls={"createUrl": "https://host.example/hook"}))

    async def rename(api: Api, n: int) -> None:
        given = f'input: {{ id: "{made.id}", name: "{n}" }}'
        query = f"mutation {{ updateProductIntegration({given}) {{ userErrors {{ code }} }} }}"
        body = await api.json("POST", "/graphql", 200, json={"query": query})
        assert body["data"]["updateProductIntegration"]["userErrors"] == [], body

    await asyncio.gather(*(rename(api, 3 * n + i) for i, api in enumerate(apis) for n in range(4)))
    found = [orjson.loads(fields[b"e"]) for _, fields in await redis.xrange(STREAM)]
    names = [one["after"]["name"] for one in found if one["action"] == "updateProductIntegration"]
    assert sorted(names, key=int) == [str(n) for n in range(12)]
    final = await apis[0].services.definitions.needed(made.id)
    assert final.name == names[-1]
    assert (await AuditReader(redis).verify()).well


async def test_a_change_behind_one_that_hangs_is_refused_in_time(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "TURN_S", 0.1)
    log, never = AuditLog(redis), asyncio.Event()

    async def hang(arguments: object) -> int:
        await never.wait()
        return 1

    first = asyncio.create_task(log.chained([DEED], hang))
    await asyncio.sleep(0)
    with pytest.raises(StoreUnavailable):
        await log.append(DEED)
    never.set()
    assert await first
    await log.append(DEED)


async def test_old_and_superfluous_entries_go_and_the_rest_still_verifies(redis: Redis) -> None:
    log = AuditLog(redis, kept_entries=100)
    for _ in range(400):
        await log.append(DEED)
    kept = await redis.xlen(STREAM)
    assert 100 <= kept < 400
    verdict = await AuditReader(redis).verify()
    assert (verdict.entries, verdict.first, verdict.head.n, verdict.broken) == (kept, 401 - kept, 400, ())
    await redis.delete(STREAM, HEAD)
    brief = AuditLog(redis, kept_ms=0)
    for _ in range(250):
        await brief.append(DEED)
    await asyncio.sleep(1.1)
    for _ in range(110):
        await brief.append(DEED)
    assert await redis.xlen(STREAM) < 300
