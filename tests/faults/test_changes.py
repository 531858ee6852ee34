"""Definitions that change while an attempt runs, and hands that race the schedule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from dispatcher.flow.integrations.credentials.rotate_secret import rotate_secret
from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.flow.integrations.editing.update import delete_integration
from dispatcher.flow.integrations.products.link import unlink
from dispatcher.model.integration import Integration
from dispatcher.model.status import Status
from dispatcher.policy.notification.signing import parse_secret
from dispatcher.policy.notification.verification import verify
from tests.events import event_of
from tests.faults.client import PRODUCT, client_of
from tests.faults.deployment import Deployment
from tests.hosts import Received, Reply
from tests.worker.conftest import SECRET, Shop, shop

__all__ = ["shop"]

pytestmark = pytest.mark.slow

ATTEMPT_S = 0.6


def signed_by(secret: str, request: Received) -> bool:
    msg_id, timestamp, signature = (request.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    return verify([parse_secret(secret)], msg_id, timestamp, signature, request.body, now_s=float(timestamp)).genuine


@asynccontextmanager
async def during_an_attempt(shop: Shop, integration: Integration, reply: Reply) -> AsyncIterator[str]:
    """The body runs after the host has the request and before it answers ``reply``."""
    before = len(shop.host.requests)
    shop.host.replies.append(Reply(reply.status, reply.body, reply.headers, delay_s=ATTEMPT_S))
    event_id = await shop.emit(integration)
    await shop.host.wait_for(before + 1)
    yield event_id


async def test_ft41_an_attempt_ends_with_the_secret_it_began_with_and_the_next_has_the_new_one(
    shop: Shop,
) -> None:
    integration = await shop.integration(schedule_s=(1.0,))
    await shop.work()
    async with during_an_attempt(shop, integration, Reply(500)) as event_id:
        rotated = await rotate_secret(shop.definitions, shop.sealer, integration.id, 10, overlap_s=0)
    assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    first, second = shop.host.requests
    assert signed_by(SECRET, first)
    assert rotated.signing_secret
    assert signed_by(rotated.signing_secret, second)
    assert not signed_by(SECRET, second)
    await shop.assert_well()


@pytest.mark.parametrize(
    ("reply", "ends"), [(Reply(), Status.SUCCEEDED), (Reply(500), Status.DEAD)], ids=["answered", "to be retried"]
)
async def test_ft41_deleting_an_integration_lets_its_attempt_end_and_sends_nothing_more(
    shop: Shop, reply: Reply, ends: Status
) -> None:
    integration = await shop.integration(schedule_s=(0.5,))
    await shop.work()
    async with during_an_attempt(shop, integration, reply) as event_id:
        behind = await shop.emit(integration)
        await delete_integration(shop.definitions, integration.id)
    ended, later = await shop.ended(event_id), await shop.ended(behind)
    assert ended.state.status is ends
    assert (later.state.status, later.state.error_code) == (Status.DEAD, "CONFIGURATION_ERROR")
    assert len(shop.host.requests) == 1
    assert [attempt.http_status for attempt in await shop.attempts([event_id])] == [reply.status]
    assert await shop.definitions.integration(integration.id) is None
    assert (await shop.definitions.integrations()).items == []
    await shop.assert_well()


async def test_ft41_unlinking_a_product_ends_nothing_that_was_accepted_and_takes_no_more(
    deployment: Deployment,
) -> None:
    integration = await deployment.integration(schedule_s=(0.5,))
    async with client_of(deployment, integration) as client:
        await deployment.worker()
        async with during_an_attempt(deployment, integration, Reply(500)) as event_id:
            behind = await client.emitted("A", "behind")
            await unlink(deployment.definitions, PRODUCT, integration.id, 10)
        await deployment.all_succeed([event_id, behind])
        status, _, body = await client.emit("A", "later")
    assert status == 422
    assert body["errors"][0]["code"] == "product_not_linked"
    assert len(deployment.host.requests) == 3
    await deployment.assert_well()


async def move(shop: Shop, integration: Integration, path: str) -> None:
    """Publish with every URL at another path."""
    moved = {name: shop.host.url(path) for name in integration.working.urls}
    await shop.definitions.edit(integration.id, lambda now: replace(now, working=replace(now.working, urls=moved)))
    await publish(shop.definitions, integration.id, "test", 20)


async def emit_with(shop: Shop, integration: Integration, revision: int) -> str:
    event = event_of(integration.id, shop.queue.partitions, "B", revision=revision)
    await shop.queue.accept([event])
    return event.id


async def test_ft41_publishing_during_an_attempt_moves_new_events_only(shop: Shop) -> None:
    integration = await shop.integration(schedule_s=(0.5,))
    await shop.work()
    async with during_an_attempt(shop, integration, Reply(500)) as event_id:
        await move(shop, integration, "/moved")
        later = await emit_with(shop, integration, revision=2)
    for one in (event_id, later):
        assert (await shop.ended(one)).state.status is Status.SUCCEEDED
    paths = {request.headers["webhook-id"]: request.path for request in shop.host.requests}
    assert paths == {event_id: "/notifications", later: "/moved"}
    await shop.assert_well()


async def test_ft42_one_of_many_hands_redelivers_and_each_attempt_is_recorded_once(deployment: Deployment) -> None:
    """Hands press while the automatic retry is under way, and go on until the event is dead and beyond."""
    deployment.host.default = Reply(500, delay_s=0.05)
    integration = await deployment.integration(schedule_s=(0.2, 0.2))
    async with client_of(deployment, integration) as client:
        await deployment.worker()
        event_id = await client.emitted("A", "raced")
        answers: list[int] = []

        async def press() -> None:
            for _ in range(12):
                answers.append((await client.post(f"/v1/events/{event_id}/redeliver", {}))[0])
                await asyncio.sleep(0.1)

        await asyncio.gather(*(press() for _ in range(8)))
        ended = await deployment.ended(event_id)
        assert ended.state.status is Status.DEAD
    assert set(answers) == {202, 409}
    rounds = 1 + answers.count(202)
    assert deployment.arrivals() == {event_id: 3 * rounds}
    attempts = await deployment.attempts([event_id])
    assert [attempt.n for attempt in attempts] == list(range(1, 3 * rounds + 1))
    sent = [int(request.headers["x-delivery-attempt"]) for request in deployment.host.requests]
    assert sent == [attempt.n for attempt in attempts]
    assert {attempt.outcome.value for attempt in attempts} == {"HTTP_ERROR"}
    await deployment.assert_well()
