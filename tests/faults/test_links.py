"""Links to Redis that are neither up nor down: packets that vanish, and a trickle where a stream should be."""

from __future__ import annotations

import asyncio
import time

import pytest

from dispatcher.store.queue.owning.codec import read_claim
from tests.faults.client import NO_ANSWER, Client, client_of
from tests.faults.deployment import FULL, SOCKET_TIMEOUT_S, Deployment, with_limits
from tests.faults.filler import filler
from tests.faults.proxy import Proxy
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CHECK_EVERY_S = 15 if FULL else 3
FOUND_WITHIN_S = CHECK_EVERY_S + SOCKET_TIMEOUT_S + 2
CHECKS_OFTEN = with_limits(HEALTH_CHECK_INTERVAL_S=CHECK_EVERY_S, SOCKET_TIMEOUT_S=SOCKET_TIMEOUT_S)
"""The product's own interval is 15 s: the long form waits for it."""
LINES_PER_S = 20
SLOW_BYTES_PER_S = 10_000
SLOW_FOR_S = 60.0 if FULL else 6.0
MORE_MEMORY_BYTES = 64 * 2**20
CALLERS = 30
FILLER = filler(5300)


async def test_ft15_half_open_connections_are_found_within_20_s(deployment: Deployment) -> None:
    integration = await deployment.integration()
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:
        worker = await deployment.worker(proxy.url, code=CHECKS_OFTEN)
        async with client_of(deployment, integration, proxy.url, code=CHECKS_OFTEN) as client:
            await deployment.all_succeed([await client.emitted("A", "before")])
            listeners = await _subscribed(deployment)
            lines = {program: program.lines for program in (worker, client.program)}
            proxy.lose_packets()
            lost_s = time.monotonic()
            event_id = await client.emitted("A", "after", within_s=FOUND_WITHIN_S)
            await deployment.all_succeed([event_id], within_s=FOUND_WITHIN_S - (time.monotonic() - lost_s))
            await _until_subscribed_anew(deployment, listeners, FOUND_WITHIN_S + 2 - (time.monotonic() - lost_s))
            passed_s = time.monotonic() - lost_s
            assert all(program.lines - lines[program] <= LINES_PER_S * passed_s for program in lines)
    assert deployment.arrivals()[event_id] == 1
    await deployment.assert_well()


async def test_claim_that_arrives_after_its_owner_came_back_puts_no_event_out_of_reach(deployment: Deployment) -> None:
    """A worker gave up waiting, came back, and its old request arrived then: events stayed in flight for ever."""
    integration = await deployment.integration()
    event_id = await deployment.emit(integration)
    partition, store = deployment.queue.partition_of(integration.id), deployment.store
    generation = await store.grant(partition, 1000)
    assert await store.own(partition, generation, "w")
    late = store.claim_call(partition, generation, 10)
    assert await store.own(partition, generation, "w", under=generation + 1), "its reply is lost"
    assert await store.own(partition, generation, "w", under=generation + 2)
    assert (await store.round_trip([late]))[0][0] == b"lost"
    assert not await store.own(partition, generation, "w", under=generation + 1), "the first, which arrives late, too"
    claim = read_claim((await store.round_trip([store.claim_call(partition, generation + 2, 10)]))[0])
    assert claim is not None
    assert [claimed.event.id for claimed in claim.events] == [event_id]


async def _subscribed(deployment: Deployment) -> set[str]:
    """The connections that wait for news, by their numbers at the server."""
    return {client["id"] for client in await deployment.redis.client_list(_type="pubsub")}


async def _until_subscribed_anew(deployment: Deployment, before: set[str], within_s: float) -> None:
    """All that listened have found their connections dead, and listen on new ones."""
    assert len(before) >= 3, "the worker listens for nudges and definitions, the API for definitions"

    async def anew() -> bool:
        now = await _subscribed(deployment)
        return not now & before and len(now) >= len(before)

    await until(anew, within_s)


async def test_ft16_a_slow_link_pushes_back_and_takes_no_memory(deployment: Deployment) -> None:
    integrations = [await deployment.integration() for _ in range(4)]
    async with Proxy("127.0.0.1", deployment.server.port) as proxy:
        worker = await deployment.worker(proxy.url)
        async with client_of(deployment, integrations[0], proxy.url) as client:
            await deployment.all_succeed([await client.emitted("A", "before")])
            programs = (worker, client.program)
            before = {program: (program.rss_bytes, program.lines) for program in programs}
            waiting = await deployment.emit_many(integrations, 400, accounts=40)
            proxy.bytes_per_s = SLOW_BYTES_PER_S
            answers = await _emitting(client, SLOW_FOR_S)
            assert set(answers) <= {202, 503, NO_ANSWER}
            assert 503 in answers, "the link was not slow enough to push back"
            for program, (rss_bytes, lines) in before.items():
                assert program.rss_bytes - rss_bytes < MORE_MEMORY_BYTES
                assert program.lines - lines <= LINES_PER_S * SLOW_FOR_S
            proxy.bytes_per_s = 0
            keys = [f"key-{n}" for n in range(len(answers))]
            accepted = [await client.emitted(f"A{key}", key, filler=FILLER) for key in keys]
        await deployment.all_succeed([*waiting, *accepted], within_s=30)
        assert all(program.alive for program in programs)
    await deployment.assert_well()


async def _emitting(client: Client, during_s: float) -> list[int]:
    """Answers to callers who do not wait for one another; each request has its own key."""
    answers: list[int] = []
    end_s, numbers = time.monotonic() + during_s, iter(range(10**6))

    async def caller() -> None:
        while time.monotonic() < end_s:
            key = f"key-{next(numbers)}"
            status, _, _ = await client.emit(f"A{key}", key, FILLER)
            answers.append(status)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    return answers
