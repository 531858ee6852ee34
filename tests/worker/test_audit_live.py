"""The audit of a store at work: it never cries wolf while events move, and still names what is really broken."""

from __future__ import annotations

import asyncio

from dispatcher.ids import new_event_id
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration
from dispatcher.model.queue import RecountReport
from tests.hosts import Received, Reply
from tests.worker.conftest import Shop

LANES = 4
EVENTS_OF_LANE = 600
ACCOUNTS = 40
WITHIN_S = 60
MOMENTS = 3
"""The audits have to see more than these, or nothing moved while they looked."""


def _first_attempt_fails(request: Received) -> Reply:
    return Reply(500) if request.headers["X-Delivery-Attempt"] == "1" else Reply()


async def _backlog(shop: Shop, integration: Integration) -> None:
    """Every third event in order behind others of its account, the rest on their own."""
    partition = shop.queue.partition_of(integration.id)
    for n in range(EVENTS_OF_LANE):
        account = f"A{n % ACCOUNTS}" if n % 3 == 0 else None
        event_id = new_event_id(n + 1, partition)
        kind = EventType.SUBSCRIPTION_CHANGE
        await shop.queue.accept([Event(event_id, kind, integration.id, 1, "P", account_id=account, payload={"x": 1})])


async def _audited_while_draining(shop: Shop, left: int = 0) -> list[RecountReport]:
    """One audit right behind the other, until no more than ``left`` events are open."""
    shop.host.default = _first_attempt_fails
    await shop.work()
    await shop.work()
    reports = [await shop.store.recount()]
    async with asyncio.timeout(WITHIN_S):
        while reports[-1].open > left:
            reports.append(await shop.store.recount())
    assert len({report.open for report in reports}) > MOMENTS
    return reports


async def test_a_backlog_that_drains_with_retries_raises_no_false_alarm(shop: Shop) -> None:
    """Symptom: counters and open events were counted at different moments, so an audit under load told of a loss."""
    for _ in range(LANES):
        await _backlog(shop, await shop.integration())
    reports = await _audited_while_draining(shop)
    assert [report for report in reports if not report.well] == []
    assert (reports[-1].terminal, reports[-1].open) == (LANES * EVENTS_OF_LANE, 0)


async def test_what_is_broken_is_named_by_every_audit_of_a_backlog_that_drains(shop: Shop) -> None:
    integration = await shop.integration()
    damaged = await shop.emit(integration, account="damaged")
    await _backlog(shop, integration)
    key = f"{{p{shop.queue.partition_of(integration.id)}}}:e:{damaged}"
    await shop.redis.delete(key)
    await shop.redis.set(key, "junk")
    reports = await _audited_while_draining(shop, left=1)
    wrong = {damaged: "its data is gone, or is not readable"}
    assert [report for report in reports if report.broken != wrong] == []
    assert [report for report in reports if report.accepted != report.terminal + report.open] == []
