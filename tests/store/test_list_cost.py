"""Cost of lists: bytes that Redis says and reads, whatever events hold and however many are asked for."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.model.event import Event
from dispatcher.model.queue import EventFilter
from dispatcher.store.queue.search.listing import PAGE_BYTES
from tests.events import event_of
from tests.store.desk import LANE, PARTITIONS, Desk
from tests.store_commands import counted

LARGE = "x" * 900_000
MANY = 12
"""Large events: several times what one page holds."""


async def accepted(desk: Desk, how_many: int, payload: object) -> list[Event]:
    events = [event_of(LANE, PARTITIONS, f"A{n}", payload={"text": payload}) for n in range(how_many)]
    for event in events:
        await desk.queue.accept([event])
    return events


async def test_a_page_of_large_events_ends_early_and_the_next_goes_on(redis: Redis) -> None:
    desk = await Desk(redis).open()
    events = await accepted(desk, MANY, LARGE)
    seen: list[Event] = []
    cursor, pages = None, 0
    while cursor is not None or not pages:
        async with counted(redis) as commands:
            page = await desk.queue.page(EventFilter(), cursor, 1000)
        assert commands.told_bytes < PAGE_BYTES + len(LARGE)
        seen += [item.event for item in page.items]
        cursor, pages = page.next_cursor, pages + 1
    assert seen == events[::-1]
    assert pages == MANY // (PAGE_BYTES // len(LARGE))


async def test_an_event_that_is_larger_than_a_page_is_a_page(redis: Redis) -> None:
    desk = await Desk(redis).open()
    (event,) = await accepted(desk, 1, "x" * (PAGE_BYTES + 1))
    await accepted(desk, 1, "small")
    first = await desk.queue.page(EventFilter(), None, 10)
    assert len(first.items) == 1
    rest = await desk.queue.page(EventFilter(), first.next_cursor, 10)
    assert [item.event for item in rest.items] == [event]
    assert rest.next_cursor is None


async def test_a_list_without_payloads_loads_none(redis: Redis) -> None:
    desk = await Desk(redis).open()
    events = await accepted(desk, MANY, LARGE)
    async with counted(redis) as commands:
        page = await desk.queue.page(EventFilter(), None, 1000, payloads=False)
    assert [item.event for item in page.items] == [one._replace(payload=None, creator=None) for one in events[::-1]]
    assert page.next_cursor is None
    assert commands.told_bytes < 100_000


@pytest.mark.parametrize("word", ['","d":{"x":1}', ',"c":', '{"t":"DEAD"', "}", "\\"])
async def test_the_head_of_an_event_is_all_of_it_but_creator_and_payload(redis: Redis, word: str) -> None:
    desk = await Desk(redis).open()
    told = {"c": {"d": word}, word: {"c": 1, "d": [word]}}
    given = [(None, None), (told, None), (None, told), (told, told)]
    events = [
        event_of(LANE, PARTITIONS, word, product_id=word, subscription_id=word, creator=creator, payload=payload)
        for creator, payload in given
    ]
    for event in events:
        await desk.queue.accept([event])
    whole = await desk.queue.page(EventFilter(), None, 10)
    heads = await desk.queue.page(EventFilter(), None, 10, payloads=False)
    assert [item.event for item in whole.items] == events[::-1]
    assert [item.event for item in heads.items] == [one._replace(payload=None, creator=None) for one in events[::-1]]
