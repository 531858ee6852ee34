"""The promise of runs, judged by the host: who is killed and what fails, first sendings of an account are in order.

Each is sent once the host took the one before. After a lost worker the last that it had of an account may come again,
in their order, at most a run of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from dispatcher.ids import new_event_id
from dispatcher.model.integration import Integration
from tests.events import event_of
from tests.faults.deployment import Deployment, deployed
from tests.hosts import ProductHost, Received, Reply
from tests.waiting import until

pytestmark = pytest.mark.slow

ACCOUNTS, EVENTS, KILLS, RUN = 4, 120, 2, 32
WORKER = {"RUN": str(RUN), "LEASE": "5"}


@dataclass
class Judge:
    """A host that refuses every 50th attempt for once, and remembers arrivals in the order of time."""

    arrivals: list[tuple[str, int]] = field(default_factory=list)
    """Event and attempt."""
    taken: set[str] = field(default_factory=set)
    too_early: list[str] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)
    """By event the one that was accepted before it for its account."""

    def answer(self, request: Received) -> Reply:
        event_id = request.headers["webhook-id"]
        self.arrivals.append((event_id, int(request.headers["x-delivery-attempt"])))
        if self.before.get(event_id, event_id) not in {*self.taken, event_id}:
            self.too_early.append(event_id)
        if len(self.arrivals) % 50 == 0:
            return Reply.of(500)
        self.taken.add(event_id)
        return Reply()


async def test_first_sendings_are_in_order_and_a_killed_worker_repeats_the_last_of_an_account(
    product_host: ProductHost,
) -> None:
    judge = Judge()
    product_host.default = judge.answer
    async with deployed(product_host) as deployment:
        lane = await deployment.integration(schedule_s=(0.05,) * 10)
        sent = _accounts(deployment, lane)
        for ids in sent:
            judge.before.update(zip(ids[1:], ids, strict=False))
        for _ in range(2):
            await deployment.worker(**WORKER)
        await _accept(deployment, lane, sent)
        for kill in range(1, KILLS + 1):
            arrived = kill * ACCOUNTS * EVENTS // (KILLS + 1)
            await until(lambda arrived=arrived: len(judge.arrivals) >= arrived, 60)  # type: ignore[misc]
            await _kill_its_worker(deployment, lane)
            await deployment.worker(**WORKER)
        await deployment.all_succeed([event_id for ids in sent for event_id in ids], 120)
        await deployment.assert_well()
    assert judge.too_early == [], "sent before the host took the one before"
    for ids in sent:
        _assert_order([(ids.index(event_id), n) for event_id, n in judge.arrivals if event_id in ids])


def _assert_order(arrivals: list[tuple[int, int]]) -> None:
    """First sendings in order; what comes again in order as well, and never from further back than a run."""
    firsts = list(dict.fromkeys(place for place, _ in arrivals))
    assert firsts == list(range(EVENTS))
    for attempt in {n for _, n in arrivals}:
        places = [place for place, n in arrivals if n == attempt]
        assert places == sorted(places), (attempt, arrivals)
    reached = 0
    for place, _ in arrivals:
        reached = max(reached, place)
        assert reached - place < RUN, arrivals


def _accounts(deployment: Deployment, lane: Integration) -> list[list[str]]:
    return [[new_event_id(1, deployment.queue.partition_of(lane.id)) for _ in range(EVENTS)] for _ in range(ACCOUNTS)]


async def _accept(deployment: Deployment, lane: Integration, sent: list[list[str]]) -> None:
    """Each account's events in their order."""
    for account, ids in enumerate(sent):
        made = event_of(lane.id, deployment.queue.partitions, str(account))
        await deployment.queue.accept([made._replace(id=event_id) for event_id in ids])


async def _kill_its_worker(deployment: Deployment, lane: Integration) -> None:
    """The one that delivers, without a word to it."""

    async def killed() -> bool:
        program = await deployment.owning_worker(lane)
        if program.alive:
            program.kill()
            return True
        return False

    await until(killed, 30)
