"""What an accept gives to a sleeping worker is sent at once, once, and not lost with the message."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.status import Status
from dispatcher.policy.pace import unasked
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.owning.codec import Given
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.conftest import Shop
from worker.partition.owner import Owner


async def _asleep(shop: Shop, partition: int) -> None:
    async def sleeps() -> bool:
        own = await shop.redis.hmget(keys.own(partition), ["asleep", "room"])  # type: ignore[misc]
        return bool(own[0] == b"1" and own[1])

    await until(sleeps)


async def test_given_events_are_sent_without_being_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    take_given = Owner.take_given

    def note(owner: Owner, given: Given) -> None:
        taken.append(given.partition)
        take_given(owner, given)

    monkeypatch.setattr(Owner, "take_given", note)
    integration = await shop.integration()
    partition = shop.queue.partition_of(integration.id)
    await shop.work()
    assert (await shop.ended(await shop.emit(integration))).state.status is Status.SUCCEEDED
    for number in range(5):
        await _asleep(shop, partition)
        stored = await shop.ended(await shop.emit(integration, account=str(number)))
        assert (stored.state.status, stored.state.attempts) == (Status.SUCCEEDED, 1)
    assert taken == [partition] * 5
    await shop.assert_well()


async def test_a_message_that_never_comes_costs_a_moment_and_no_event(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Given] = []
    take_given = Owner.take_given

    def lose(owner: Owner, given: Given) -> None:
        if lost:
            take_given(owner, given)
        else:
            lost.append(given)

    monkeypatch.setattr(Owner, "take_given", lose)
    monkeypatch.setattr(unasked, "MISSED_S", 0.1)
    integration = await shop.integration()
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await _asleep(shop, shop.queue.partition_of(integration.id))
    stored = await shop.ended(await shop.emit(integration))
    assert (stored.state.status, stored.state.attempts) == (Status.SUCCEEDED, 1)
    assert len(lost) == 1
    assert len(shop.host.to("/notifications")) == 2
    await shop.assert_well()


async def test_a_message_of_an_older_generation_begins_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Owned anew, the event is due again and claimed: the message that comes late must not send it a second time."""
    late: list[tuple[Owner, Given]] = []
    take_given = Owner.take_given

    def keep(owner: Owner, given: Given) -> None:
        late.append((owner, given))

    monkeypatch.setattr(Owner, "take_given", keep)
    monkeypatch.setattr(unasked, "MISSED_S", 0.1)
    integration = await shop.integration()
    await shop.work()
    await shop.ended(await shop.emit(integration))
    await _asleep(shop, shop.queue.partition_of(integration.id))
    await shop.ended(await shop.emit(integration))
    ((owner, given),) = late
    take_given(owner, given)
    assert not owner.in_flight
    assert len(shop.host.to("/notifications")) == 2
    await shop.assert_well()


async def test_slots_kept_for_what_is_given_are_used_where_work_waits(shop: Shop) -> None:
    """Symptom: a quarter of few slots stayed unused, and the worker asked Redis without a pause."""
    commands, events = "total_commands_processed", 96
    integration = await shop.integration()
    await shop.work(concurrency=16)
    await shop.ended(await shop.emit(integration))
    await _asleep(shop, shop.queue.partition_of(integration.id))
    shop.host.default = Reply(delay_s=0.2)
    before = (await shop.redis.info("stats"))[commands]
    for number in range(events):
        await shop.emit(integration, account=str(number))
    await shop.host.wait_for(1 + events)
    used = (await shop.redis.info("stats"))[commands] - before
    assert used < 100 * events


@pytest.mark.parametrize("partition", [0, 10**6])
async def test_what_is_not_owned_is_left_to_its_owner(shop: Shop, partition: int) -> None:
    owners: list[Any] = []
    init = Owner.__init__

    def note(owner: Owner, *arguments: Any, **named: Any) -> None:
        owners.append(owner)
        init(owner, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Owner, "__init__", note)
        await shop.work()
        await until(lambda: bool(owners) and len(owners[0].partitions) == shop.settings.partitions)
    (owner,) = owners
    owner.take_given(Given(partition, 1, [b"ok", 0, -1, 0]))
    assert not owner.in_flight
