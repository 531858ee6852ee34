"""No account ever sees a later event before an earlier one is terminal, whatever hosts answer and whoever is killed.

Judged by the host: it records what arrived when, and what it answered. The usual run is small; for a long one set
``ORDER_ACCOUNTS`` and ``ORDER_EVENTS`` (1,000 accounts of 20 events each: about ten minutes).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from dispatcher.errors import DispatcherError, StoreUnavailable
from dispatcher.model.integration import Integration
from dispatcher.model.status import FAILURES, TERMINAL, Status
from tests.events import event_of
from tests.faults.deployment import Deployment, deployed, eventually
from tests.hosts import ProductHost, Received, Reply
from tests.waiting import until

pytestmark = pytest.mark.slow

ACCOUNTS = int(os.environ.get("ORDER_ACCOUNTS", "100"))
EVENTS = int(os.environ.get("ORDER_EVENTS", "20"))
SEED = int(os.environ.get("ORDER_SEED", "0")) or random.randrange(1, 2**31)
INTEGRATIONS = 10
SCHEDULE_S = (0.05, 0.1, 0.1, 0.2)
REQUEST_TIMEOUT_S = 0.5
CIRCUIT_FAILURES = 10**6
KILLS = max(3, ACCOUNTS * EVENTS // 500)
WORKER = {"REQUEST_TIMEOUT": str(REQUEST_TIMEOUT_S), "CIRCUIT_FAILURES": str(CIRCUIT_FAILURES), "LEASE": "1"}

SUCCESS = Reply.of(200, {"success": True})
REFUSAL = Reply.of(200, {"success": False, "errorCode": "USER_NOT_FOUND", "message": "no"})
ANSWERS = (
    (72, SUCCESS),
    (8, Reply.of(500)),
    (4, Reply.of(503)),
    (5, Reply.of(202)),
    (5, REFUSAL),
    (4, Reply(reset=True)),
    (2, Reply(hang=True)),
)


@dataclass
class Judge:
    """A host that answers at random and remembers each arrival in the order of time."""

    random: random.Random
    arrivals: list[tuple[str, int]] = field(default_factory=list)
    accepted: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def answer(self, request: Received) -> Reply:
        event_id = request.headers["webhook-id"]
        self.arrivals.append((event_id, int(request.headers["x-delivery-attempt"])))
        reply = self.random.choices([reply for _, reply in ANSWERS], [weight for weight, _ in ANSWERS])[0]
        if reply.status == 202:
            self.accepted.put_nowait(event_id)
        return reply


async def test_order_of_each_account_holds_under_failures_and_kills(product_host: ProductHost) -> None:
    print(f"ORDER_SEED={SEED}")
    judge = Judge(random.Random(SEED))
    product_host.default = judge.answer
    async with deployed(product_host) as deployment:
        lanes = [await deployment.integration(schedule_s=SCHEDULE_S) for _ in range(INTEGRATIONS)]
        reporting = asyncio.create_task(_report_results(deployment, judge))
        for _ in range(3):
            await deployment.worker(**WORKER)
        killing = asyncio.create_task(_kill_workers(deployment, judge))
        sent = await _emit(deployment, lanes)
        await _until_all_ended(deployment)
        await killing
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        assert sum(not program.alive for program in deployment.programs) == KILLS
        await _assert_each_ended_once(deployment, sent)
        _assert_order(judge, sent)
        await deployment.assert_well()


async def _emit(deployment: Deployment, lanes: list[Integration]) -> dict[str, list[str]]:
    """Every account's events in the order of their acceptance, accounts interleaved."""
    sent: dict[str, list[str]] = defaultdict(list)
    for n in range(EVENTS):
        events = []
        for account in range(ACCOUNTS):
            lane = lanes[account % INTEGRATIONS]
            events.append(event_of(lane.id, deployment.queue.partitions, f"A{account}", payload={"n": n}))
            sent[f"A{account}"].append(events[-1].id)
        await eventually(lambda events=events: deployment.queue.accept(events))  # type: ignore[misc]
    return sent


async def _kill_workers(deployment: Deployment, judge: Judge) -> None:
    """Of those at work, one dies without a word each time that so much more has arrived, and another comes."""
    for kill in range(1, KILLS + 1):
        arrived = kill * ACCOUNTS * EVENTS // (KILLS + 1)
        await until(lambda arrived=arrived: len(judge.arrivals) >= arrived, 30 + ACCOUNTS * EVENTS / 20)  # type: ignore[misc]
        random.choice([program for program in deployment.programs if program.alive]).kill()
        await deployment.worker(**WORKER)


async def _report_results(deployment: Deployment, judge: Judge) -> None:
    """An event that was answered with 202 gets its result a little later; some before the 202 was even recorded."""
    while True:
        event_id = await judge.accepted.get()
        await asyncio.sleep(judge.random.choice((0.0, 0.05, 0.3)))
        try:
            await deployment.queue.result(event_id, success=judge.random.random() < 0.9)
        except StoreUnavailable:
            judge.accepted.put_nowait(event_id)
        except DispatcherError:
            await _report_again(deployment, judge, event_id)


async def _report_again(deployment: Deployment, judge: Judge, event_id: str) -> None:
    """Its worker was killed before the 202 was recorded, so that the event is sent again; or it has ended."""
    stored = await deployment.queue.get(event_id)
    if stored is not None and stored.state.status is Status.AWAITING_RESULT:
        judge.accepted.put_nowait(event_id)


async def _until_all_ended(deployment: Deployment) -> None:
    async def all_ended() -> bool:
        report = await deployment.store.recount()
        assert not report.broken, report
        return not report.open and report.terminal >= ACCOUNTS * EVENTS

    await until(all_ended, 30 + ACCOUNTS * EVENTS / 20)


async def _assert_each_ended_once(deployment: Deployment, sent: dict[str, list[str]]) -> None:
    failed = 0
    for ids in sent.values():
        for event_id in ids:
            stored = await deployment.queue.get(event_id)
            assert stored is not None
            assert stored.state.status in TERMINAL
            failed += stored.state.status in FAILURES
    report = await deployment.store.recount()
    assert (report.accepted, report.terminal, report.open) == (ACCOUNTS * EVENTS, ACCOUNTS * EVENTS, 0)
    assert failed, "nothing failed for good: failures were not tried"


def _assert_order(judge: Judge, sent: dict[str, list[str]]) -> None:
    """Per account the arrivals are e1 … e1 e2 … e2 …: none of an event once a later one has come."""
    place = {event_id: (account, n) for account, ids in sent.items() for n, event_id in enumerate(ids)}
    reached: dict[str, int] = {}
    for event_id, attempt in judge.arrivals:
        account, n = place[event_id]
        before = reached.get(account, 0)
        assert n in (before, before + 1) or (n == 0 and account not in reached), (account, n, before, attempt, SEED)
        reached[account] = n
    assert all(n == EVENTS - 1 for n in reached.values())
    assert {event_id for event_id, _ in judge.arrivals} == set(place)
