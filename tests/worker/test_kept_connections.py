"""A kept connection that the host closed costs no attempt: a running worker, a real store, raw hosts on loopback."""

from __future__ import annotations

import asyncio

from standardwebhooks import Webhook

from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from tests.raw_server import RawServer
from tests.worker.conftest import SECRET, Shop

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"success":true}'


class Forgetful:
    """Answers one request of each connection and closes it, without a word, when the next one arrives."""

    def __init__(self) -> None:
        self.heads: list[dict[str, str]] = []
        self.bodies: list[bytes] = []

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._read(reader)
        writer.write(OK)
        await self._read(reader)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        head = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.bodies.append(await reader.readexactly(int(head["content-length"])))
        self.heads.append(head)


async def test_a_kept_connection_that_the_host_closed_costs_no_attempt(shop: Shop) -> None:
    """Symptom: 8 of 20 first attempts were CONNECT_FAILED, and each account waited 5 s."""
    host = Forgetful()
    async with RawServer(host.talk) as server:
        integration = await shop.integration({"upgradeUrl": f"{server.url}/in"})
        events = [await shop.emit(integration) for _ in range(6)]
        await shop.work()
        for event_id in events:
            assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    attempts = await shop.attempts(events)
    assert [(one.n, one.outcome) for one in attempts] == [(1, Outcome.OK)] * 6
    assert [one.resent for one in attempts] == [False] + [True] * 5
    assert [head["webhook-id"] for head in host.heads] == [events[0]] + [one for one in events[1:] for _ in "12"]
    assert {head["x-delivery-attempt"] for head in host.heads} == {"1"}
    for head, body in zip(host.heads, host.bodies, strict=True):
        Webhook(SECRET).verify(body, head)
    await shop.assert_well()


async def test_a_host_that_closes_new_connections_too_is_tried_once_more_in_an_attempt_of_its_own(shop: Shop) -> None:
    requests = 0

    async def talk(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal requests
        await reader.readuntil(b"\r\n\r\n")
        requests += 1

    async with RawServer(talk) as server:
        integration = await shop.integration({"upgradeUrl": f"{server.url}/in"})
        event_id = await shop.emit(integration, kind=EventType.SUBSCRIPTION_CHANGE)
        await shop.work()
        assert (await shop.ended(event_id)).state.status is Status.DEAD
    attempts = await shop.attempts([event_id])
    assert [one.resent for one in attempts] == [False] * 4
    assert requests == 4


async def test_an_odd_answer_with_a_2xx_succeeds_and_the_attempt_says_what_was_odd(shop: Shop) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\nstray")
        await reader.read()

    async with RawServer(talk) as server:
        integration = await shop.integration({"upgradeUrl": f"{server.url}/in"})
        event_id = await shop.emit(integration)
        await shop.work()
        assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    (attempt,) = await shop.attempts([event_id])
    assert (attempt.outcome, attempt.http_status) == (Outcome.OK, 204)
    assert attempt.error_detail == "the answer is odd: bytes follow its end"
