"""One reader of changes for any number of followers: nothing is missed, and nothing is read for nobody."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from dispatcher.model.queue import Change
from dispatcher.model.status import Status
from dispatcher.store.queue.watching import following
from dispatcher.store.queue.watching.following import ChangeFeed
from tests.store.desk import Desk
from tests.store_commands import counted
from tests.waiting import until


async def followed(feed: ChangeFeed, position: str, how_many: int) -> list[Change]:
    """The next changes as a follower of this position hears of them."""
    seen: list[Change] = []
    async with asyncio.timeout(30):
        while len(seen) < how_many:
            news = feed.news()
            changes = await feed.changes(position, 3)
            if not changes:
                await news.wait()
            for change in changes:
                seen.append(change)
                position = change.id
    return seen


async def test_many_followers_cost_as_much_as_one(redis: Redis) -> None:
    desk = await Desk(redis).open()
    feed = desk.queue.feed()
    async with feed.followed():
        start = await desk.queue.newest_change()
        followers = [asyncio.create_task(followed(feed, start, 4)) for _ in range(50)]
        await until(lambda: feed.looks > 0)
        looks = feed.looks
        async with counted(redis) as commands:
            ids = [await desk.emit(f"A{n}") for n in range(4)]
            seen = await asyncio.gather(*followers)
        assert commands.calls["xrange"] <= desk.partitions * (feed.looks - looks + 2)
    assert all([change.event_id for change in one] == ids for one in seen)


async def test_whoever_comes_from_further_back_or_falls_behind_misses_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "KEPT", 2)
    desk = await Desk(redis).open()
    feed = desk.queue.feed()
    start = await desk.queue.newest_change()
    before = [await desk.emit(f"A{n}") for n in range(5)]
    async with feed.followed():
        after = [await desk.emit(f"B{n}") for n in range(7)]
        await until(lambda: feed.looks > 1)
        seen = await followed(feed, start, 12)
    assert [change.event_id for change in seen] == [*before, *after]
    assert [change.id for change in seen] == [change.id for change in await desk.queue.changes(start)]


async def test_nothing_is_read_for_nobody(redis: Redis) -> None:
    desk = await Desk(redis).open()
    feed = desk.queue.feed()
    async with feed.followed(), feed.followed():
        assert feed.is_read
    assert not feed.is_read
    async with feed.followed():
        await until(lambda: feed.looks > 0)


async def test_the_end_of_an_event_wakes_those_who_wait_for_it_alone(redis: Redis) -> None:
    desk = await Desk(redis).open()
    feed = desk.queue.feed()
    mine, other = await desk.emit("A"), await desk.emit("B")
    await desk.ids()
    async with feed.followed():
        with feed.ending(mine) as ended, feed.ending(other) as other_ended:
            await desk.settle(mine, Status.SUCCEEDED)
            await asyncio.wait_for(ended.wait(), 30)
            assert not other_ended.is_set()
