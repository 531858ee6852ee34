"""Names are looked up once for all who wait, by tenants' shares, and the last address outlives a name server."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.programs import Ran, completed
from tests.waiting import until
from worker.http import resolver
from worker.http.ration import NothingLeft, on_behalf_of
from worker.http.resolver import FRESH_S, LAST_S, SystemResolver
from worker.http.threads import Threads

NAME = "shop.example.com"


class NameServer:
    """Answers ``says``, an error or an address, when ``speaks`` is set."""

    def __init__(self) -> None:
        self.says: int | str = "192.0.2.1"
        self.speaks = threading.Event()
        self.speaks.set()
        self.asked = 0

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        self.speaks.wait()
        if isinstance(self.says, int):
            raise socket.gaierror(self.says, "told by a test")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.says, port))]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    made = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    monkeypatch.setattr(resolver, "RENEWAL_S", 0.01)
    yield made
    made.speaks.set()


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def _address(names: SystemResolver) -> str:
    return (await names.resolve(NAME, 443))[0]["host"]


async def test_an_answer_is_used_for_some_seconds_and_asked_for_once(server: NameServer) -> None:
    clock = Clock()
    names = SystemResolver(clock=clock)
    assert await asyncio.gather(*(_address(names) for _ in range(20))) == ["192.0.2.1"] * 20
    server.says = "192.0.2.2"
    assert (await _address(names), server.asked) == ("192.0.2.1", 1)
    clock.now_s = FRESH_S
    assert (await _address(names), server.asked) == ("192.0.2.2", 2)


async def test_the_last_address_is_used_for_a_minute_while_the_name_server_cannot_tell(server: NameServer) -> None:
    clock = Clock()
    names = SystemResolver(clock=clock)
    await _address(names)
    server.says = socket.EAI_AGAIN
    for clock.now_s in (FRESH_S, LAST_S - 1):
        assert await _address(names) == "192.0.2.1"
    clock.now_s = LAST_S
    with pytest.raises(socket.gaierror):
        await _address(names)


async def test_the_last_address_is_used_while_a_newer_one_is_on_its_way(server: NameServer) -> None:
    clock = Clock()
    names = SystemResolver(clock=clock)
    await _address(names)
    server.says, clock.now_s = "192.0.2.2", FRESH_S
    server.speaks.clear()
    assert await _address(names) == "192.0.2.1"
    assert await _address(names) == "192.0.2.1"
    server.speaks.set()
    await until(lambda: _is(names, "192.0.2.2"))
    assert server.asked == 2, "one lookup, however many wait"


async def _is(names: SystemResolver, address: str) -> bool:
    return await _address(names) == address


async def test_a_name_that_is_gone_is_gone_at_once(server: NameServer) -> None:
    clock = Clock()
    names = SystemResolver(clock=clock)
    await _address(names)
    server.says, clock.now_s = socket.EAI_NONAME, FRESH_S
    with pytest.raises(socket.gaierror):
        await _address(names)


async def test_what_nobody_waits_for_any_more_holds_its_thread_until_it_ends() -> None:
    threads, begun, goes_on = Threads(2, "lookup", 0.0), threading.Event(), threading.Event()

    def hang() -> bool:
        begun.set()
        return goes_on.wait()

    with on_behalf_of("acme"):
        nobody = asyncio.ensure_future(threads.run(hang))
        await until(begun.is_set)
        nobody.cancel()
        with pytest.raises(asyncio.CancelledError):
            await nobody
        with pytest.raises(NothingLeft):
            await threads.run(_nothing)
        with on_behalf_of("other"):
            assert await threads.run(_nothing) == "done"
        goes_on.set()
        await until(lambda: _runs(threads))


LOOKS_UP_FOR_EVER = """
import asyncio, socket, threading
from worker.http.resolver import SystemResolver

socket.getaddrinfo = lambda *_, **__: threading.Event().wait()

async def main():
    try:
        async with asyncio.timeout(0.1):
            await SystemResolver().resolve("hangs.example")
    except TimeoutError:
        print("ended")

asyncio.run(main())
"""


def test_a_name_that_is_looked_up_for_ever_keeps_no_process_from_ending() -> None:
    assert completed([sys.executable, "-c", LOOKS_UP_FOR_EVER]) == Ran(0, "ended\n", "")


def _nothing() -> str:
    return "done"


async def _runs(threads: Threads, work: Callable[[], str] = _nothing) -> bool:
    try:
        return await threads.run(work) == "done"
    except NothingLeft:
        return False
