"""Token endpoints that are down, slow, wrong or hostile: nothing is sent without a token, and they are asked seldom."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import Any

import pytest

from dispatcher.model.attempt import Outcome
from dispatcher.model.integration import Integration
from dispatcher.model.status import Status
from tests.faults.client import Client, client_of
from tests.faults.deployment import Deployment
from tests.hosts import ProductHost, Reply
from tests.waiting import until
from tests.worker.conftest import Shop, shop

__all__ = ["shop"]

pytestmark = pytest.mark.slow

ACCOUNTS = 30
OUTAGES: dict[str, Reply] = {
    "500": Reply(500, b"oops"),
    "HTML": Reply(200, b"<html>sign in</html>", {"Content-Type": "text/html"}),
    "reset": Reply(reset=True),
    "secret refused": Reply.of(401, {"error": "invalid_client"}),
    "header in the token": Reply.of(200, {"access_token": "t\r\nX-Evil: 1", "token_type": "Bearer"}),
    "NUL in the token": Reply.of(200, {"access_token": "t\0", "token_type": "Bearer"}),
    "no object": Reply(200, b"[]"),
}
REMEMBERED_S = 5
"""For so long nobody asks again after a failure."""


async def _emitted(shop: Shop, integration: Integration, count: int = ACCOUNTS) -> list[str]:
    return [await shop.emit(integration, account=str(n)) for n in range(count)]


async def test_ft35_an_endpoint_that_fails_is_asked_seldom_and_its_events_are_delivered_later(
    deployment: Deployment,
) -> None:
    async with AsyncExitStack() as stack:
        hosts = {kind: await stack.enter_async_context(ProductHost()) for kind in (*OUTAGES, "down")}
        lanes: dict[str, Integration] = {}
        for kind, host in hosts.items():
            host.requires_token = True
            lanes[kind] = await _on(deployment, host)
        for kind, reply in OUTAGES.items():
            hosts[kind].tokens.replies.extend([reply] * 100)
        port = hosts["down"].port
        await hosts["down"].stop()
        events = {kind: await _emitted(deployment, lane) for kind, lane in lanes.items()}
        client = await stack.enter_async_context(client_of(deployment, lanes["500"]))
        began_s = time.monotonic()
        worker = await deployment.worker()
        await _credentials(client, lanes, "FAILING")
        assert [host.requests for host in hosts.values()] == [[]] * len(hosts), "sent without a token"
        for host in hosts.values():
            assert len(host.tokens.requests) <= 2 + (time.monotonic() - began_s) / REMEMBERED_S, "a stampede"
            host.tokens.replies.clear()
        await hosts["down"].start(port)
        for ids in events.values():
            await deployment.all_succeed(ids, within_s=40)
        await _credentials(client, lanes, "AUTHORIZED")
        assert worker.errors() == []
        for kind, host in hosts.items():
            assert len(host.tokens.requests) <= 2 + (time.monotonic() - began_s) / REMEMBERED_S, kind
            assert len(host.requests) == ACCOUNTS, kind
        outcomes = {
            attempt.outcome for attempt in await deployment.attempts([i for ids in events.values() for i in ids])
        }
        assert outcomes == {Outcome.TOKEN_FAILED, Outcome.OK}
        await deployment.assert_well()


async def _on(shop: Shop, host: ProductHost) -> Integration:
    """An integration whose notifications and token endpoint are those of another host."""
    usual, shop.host = shop.host, host
    try:
        return await shop.integration(oauth2=True, schedule_s=(0.5,) * 20)
    finally:
        shop.host = usual


async def _credentials(client: Client, lanes: dict[str, Integration], state: str) -> None:
    """Wait until /v1/queue says so of every lane."""
    wanted = {lane.id for lane in lanes.values()}

    async def said_of_all() -> bool:
        _, _, queue = await client.get("/v1/queue")
        told = {lane["integrationId"] for lane in queue["lanes"] if _state(lane) == state}
        return wanted <= told or (state == "AUTHORIZED" and not _failing(queue) & wanted)

    await until(said_of_all)


def _state(lane: dict[str, Any]) -> object:
    return lane["credentials"]["state"]


def _failing(queue: dict[str, Any]) -> set[str]:
    return {lane["integrationId"] for lane in queue["lanes"] if _state(lane) == "FAILING"}


async def test_ft35_a_slow_endpoint_is_asked_once_for_all_that_wait(shop: Shop) -> None:
    shop.host.requires_token = True
    shop.host.tokens.delay_s = 1.0
    ids = await _emitted(shop, await shop.integration(oauth2=True))
    await shop.work()
    for event_id in ids:
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert len(shop.host.tokens.requests) == 1
    assert {attempt.outcome for attempt in await shop.attempts(ids)} == {Outcome.OK}


async def test_ft35_a_revoked_token_is_replaced_once_and_no_attempt_is_lost(shop: Shop) -> None:
    shop.host.requires_token = True
    integration = await shop.integration(oauth2=True)
    await shop.work()
    await shop.ended(await shop.emit(integration))
    shop.host.tokens.revoke()
    ids = await _emitted(shop, integration)
    for event_id in ids:
        ended = await shop.ended(event_id)
        assert (ended.state.status, ended.state.attempts) == (Status.SUCCEEDED, 1)
    assert len(shop.host.tokens.requests) == 2


async def test_ft35_a_token_without_a_life_serves_its_attempt_and_is_not_kept(shop: Shop) -> None:
    shop.host.requires_token = True
    shop.host.tokens.expires_in = 0
    integration = await shop.integration(oauth2=True)
    ids = await _emitted(shop, integration, 5)
    await shop.work()
    for event_id in ids:
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    last = await shop.emit(integration, account="later")
    before = len(shop.host.tokens.requests)
    assert (await shop.ended(last)).state.status is Status.SUCCEEDED
    assert len(shop.host.tokens.requests) == before + 1
    assert [key for key in await shop.redis.keys("*token*") if b"lock" not in key] == []
