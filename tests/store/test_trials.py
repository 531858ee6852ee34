"""Credentials that workers try: whoever asked is told of the answer, and does not ask for it again and again."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from dispatcher.model.ping import CredentialsTried
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.pings import trials as trying
from dispatcher.store.definitions.pings.starter import open_jobs
from dispatcher.store.definitions.pings.trials import Trial, Trials
from dispatcher.store.keys import definitions as keys
from tests.store_commands import counted
from tests.waiting import until

MANY = 20


async def test_whoever_waits_for_an_answer_looks_when_it_is_told_and_not_before(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "LOOK_S", 600.0)
    jobs = open_jobs(redis, None)
    async with DefinitionCache(Definitions(redis), redis) as cache, counted(redis) as commands:
        await until(lambda: _is_heard(redis))
        asking, answering = Trials(redis, jobs, cache.heard), Trials(redis, jobs)
        answers = [asyncio.create_task(asking.ask(Trial(f"I-{n}"), 30)) for n in range(MANY)]
        asked = await until(lambda: _all_asked(redis))
        for trial_id in asked:
            assert await answering.take(trial_id) is not None
            await answering.answer(trial_id, CredentialsTried(True))
        assert all(await asyncio.gather(*answers))
    await jobs.close()
    assert (
        commands.calls["getdel"] <= 4 * MANY
    )  # taken by a worker; looked at first, when told, and when it began to hear


async def _is_heard(redis: Redis) -> bool:
    return bool((await redis.pubsub_numsub(keys.DEFINITIONS_CHANNEL))[0][1])


async def _all_asked(redis: Redis) -> list[str]:
    prefix = keys.credential_trial("")
    found = [name.decode().removeprefix(prefix) async for name in redis.scan_iter(f"{prefix}*")]
    return found if len(found) == MANY else []
