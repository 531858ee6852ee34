"""Times at which a worker looks for jobs."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.store.jobs import announcement
from worker import jobs
from worker.jobs import ERRANDS, Summons, drains

NEVER_S = 3600.0


@pytest.fixture
def summons(monkeypatch: pytest.MonkeyPatch) -> Summons:
    """Of somebody who would not look by itself."""
    monkeypatch.setattr(jobs, "IDLE_POLL_S", NEVER_S)
    return Summons(ERRANDS)


@pytest.mark.parametrize("said", [announcement(ERRANDS.name), ""], ids=["a job", "a word may be lost"])
async def test_it_looks_when_it_is_told_also_before_it_waits(summons: Summons, said: str) -> None:
    summons.hear(said)
    async with asyncio.timeout(30):
        await summons.next(busy=False)


async def test_it_looks_again_by_itself_for_a_while_after_a_word(summons: Summons) -> None:
    summons.hear("")
    async with asyncio.timeout(30):
        await summons.next(busy=False)
        await summons.next(busy=False)


async def test_it_looks_again_by_itself_after_jobs_have_run(summons: Summons, monkeypatch: pytest.MonkeyPatch) -> None:
    summons.hear("")
    monkeypatch.setattr(jobs, "WATCHFUL_S", NEVER_S)
    async with asyncio.timeout(30):
        await summons.next(busy=True)
        await summons.next(busy=False)


async def test_words_for_others_are_not_for_it(summons: Summons) -> None:
    waiting = asyncio.create_task(summons.next(busy=False))
    await asyncio.sleep(0)
    for said in (announcement(drains(16).name), "product:1", "0190d2a4-0000-7000-8000-000000000000"):
        summons.hear(said)
    await asyncio.sleep(0)
    assert not waiting.done()
    summons.hear(announcement(ERRANDS.name))
    async with asyncio.timeout(30):
        await waiting
