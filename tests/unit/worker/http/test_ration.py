"""A ration is shared by tenants: none takes the last, each is served in turn, and nothing is lost when one gives up."""

from __future__ import annotations

import asyncio

import pytest

from worker.http.ration import TENANT, NothingLeft, Ration, on_behalf_of


async def test_a_tenant_takes_half_and_the_next_half_of_the_rest() -> None:
    ration = Ration(8, "thread")
    for _ in range(4):
        await ration.take("greedy")
    with pytest.raises(NothingLeft, match="no thread left"):
        await ration.take("greedy", 0)
    await ration.take("other", 0)
    await ration.take("other", 0)
    with pytest.raises(NothingLeft):
        await ration.take("other", 0)
    await ration.take("third", 0)


async def test_whoever_waits_has_what_is_given_back_in_turn() -> None:
    ration, served = Ration(2, "thread"), list[str]()

    async def work(tenant: str) -> None:
        await ration.take(tenant)
        served.append(tenant)

    await ration.take("a")
    async with asyncio.TaskGroup() as tasks:
        for name in ("a", "a", "b", "b"):
            tasks.create_task(work(name))
        await asyncio.sleep(0)
        assert served == ["b"], "there is one left, and the other waits behind its own"
        ration.give_back("a")
        ration.give_back("b")
        await asyncio.sleep(0)
        while len(served) < 4:
            ration.give_back(served[-1])
            await asyncio.sleep(0)
    assert sorted(served) == ["a", "a", "b", "b"]


async def test_one_that_stops_waiting_keeps_nothing() -> None:
    ration = Ration(2, "thread")
    await ration.take("a")
    waiting = asyncio.create_task(ration.take("a"))
    await asyncio.sleep(0)
    ration.give_back("a")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ration.held_by("a") == 0
    await ration.take("a", 0)


async def test_a_task_asks_in_the_name_of_whoever_it_works_for() -> None:
    async def name() -> str:
        return TENANT.get()

    with on_behalf_of("acme"):
        inner = asyncio.create_task(name())
    assert (await inner, TENANT.get()) == ("acme", "")
