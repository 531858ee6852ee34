"""One answer for all who ask at a time: asked once, and no longer than somebody waits."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.api.http.overload.shared import Shared
from tests.waiting import until


class Source:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.ended = 0
        self.answers: asyncio.Queue[int | Exception] = asyncio.Queue()

    async def ask(self) -> int:
        self.asked += 1
        try:
            answer = await self.answers.get()
        finally:
            self.ended += 1
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_however_many_ask_it_is_asked_once() -> None:
    source = Source()
    shared = Shared(source.ask, 60)
    asking = [asyncio.create_task(shared.read()) for _ in range(50)]
    await until(lambda: source.asked)
    source.answers.put_nowait(1)
    assert await asyncio.gather(*asking) == [1] * 50
    assert await shared.read() == 1
    assert source.asked == 1


async def test_without_an_age_whoever_comes_later_is_told_anew() -> None:
    source = Source()
    shared = Shared(source.ask)
    for answer in (1, 2):
        source.answers.put_nowait(answer)
        assert await shared.read() == answer


async def test_an_error_is_told_to_all_who_wait_and_asked_again() -> None:
    source = Source()
    shared = Shared(source.ask, 60)
    asking = [asyncio.create_task(shared.read()) for _ in range(3)]
    source.answers.put_nowait(ValueError("away"))
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(one) for one in found] == ["away"] * 3
    source.answers.put_nowait(1)
    assert await shared.read() == 1


async def test_asking_ends_when_the_last_who_waits_leaves() -> None:
    source = Source()
    shared = Shared(source.ask, 60)
    first, last = (asyncio.create_task(shared.read()) for _ in range(2))
    await until(lambda: source.asked)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert source.ended == 0
    last.cancel()
    with pytest.raises(asyncio.CancelledError):
        await last
    await until(lambda: source.ended)
    source.answers.put_nowait(1)
    assert await shared.read() == 1
    assert source.asked == 2
