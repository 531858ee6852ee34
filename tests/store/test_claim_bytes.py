"""A claim counts the bytes of what it hands out, and what there is no room for is not even read."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.store.queue.owning.claims import Move
from dispatcher.store.queue.owning.codec import read_claim
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk


async def _emit(desk: Desk, size: int) -> str:
    event = event_of(LANE, PARTITIONS, str(size), payload={"x": "y" * size})
    await desk.queue.accept([event])
    return event.id


async def test_a_claim_ends_before_the_document_that_is_too_much_and_goes_on_there(redis: Redis) -> None:
    desk = await Desk(redis).open()
    ids = [await _emit(desk, size) for size in range(1000, 1005)]
    due = await redis.zrange(f"{{p{HOME}}}:d:{LANE}", 0, -1, withscores=True)
    brought: list[set[str]] = []
    for room_bytes, more in ((1, 4), (2500, 2), (10_000, 0)):
        call = desk.store.claim_call(HOME, desk.generation, 10, room_bytes)
        claim = read_claim((await desk.store.round_trip([call]))[0])
        assert claim is not None
        brought.append({one.event.id for one in claim.events})
        left = await redis.zrange(f"{{p{HOME}}}:d:{LANE}", 0, -1, withscores=True)
        assert left == (due[-more:] if more else []), "due as before"
    assert [len(one) for one in brought] == [1, 2, 2], "the first however large, and never more than there is room for"
    assert set.union(*brought) == set(ids)
    await desk.assert_well()


async def test_what_there_is_no_room_for_is_not_read_and_can_be_given_back(redis: Redis) -> None:
    desk = await Desk(redis).open()
    small, large = await _emit(desk, 10), await _emit(desk, 5000)
    reply = (await desk.store.round_trip([desk.store.claim_call(HOME, desk.generation, 10)]))[0]
    claim = read_claim(reply, 1000)
    assert claim is not None
    assert [one.event.id for one in claim.events] == [small]
    (blank,) = claim.too_large
    assert (blank.event.id, blank.event.integration_id, blank.event.payload) == (large, LANE, None)
    assert await desk.settle(blank, Move.RELEASE) == 1
    assert await desk.ids() == [large]
    await desk.assert_well()
