"""Name servers that do not know, fail, dawdle, rebind or mix: typed outcomes, and never a connection inside.

``getaddrinfo`` is the fake; the worker, its resolver, its guard and the sockets are real.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.status import Status
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.conftest import Shop, shop
from worker.http.resolver import LOOKUP_THREADS

__all__ = ["shop"]

pytestmark = pytest.mark.slow

PUBLIC = "93.184.215.14"
CONNECT_TIMEOUT_S = 0.5
SLOW_S = 30.0

NAMES: dict[str, list[str] | int] = {
    "unknown.example.com": socket.EAI_NONAME,
    "server-failure.example.com": socket.EAI_AGAIN,
    "empty.example.com": [],
    "private.example.com": ["10.0.0.1"],
    "metadata.example.com": ["169.254.169.254"],
    "mapped.example.com": ["::ffff:10.0.0.1"],
    "nat64.example.com": ["64:ff9b::a00:1"],
    "mixed.example.com": [PUBLIC, "10.0.0.1"],
    "mixed-6.example.com": [PUBLIC, "fd00::1"],
    "multicast.example.com": ["224.0.0.1"],
}
UNRESOLVED = frozenset({"unknown.example.com", "server-failure.example.com", "empty.example.com"})


class NameServer:
    """Answers for the names of a test as it says, for all others as the system does."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str] | int] = dict(NAMES)
        self.asked: Counter[str] = Counter()
        self.dawdles = threading.Event()
        self._system = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, *rest: Any, **named: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else str(host)
        self.asked[name] += 1
        if name.startswith("slow"):
            self.dawdles.wait(SLOW_S)
            return []
        answer = self.answers.get(name)
        if answer is None:
            return list(self._system(host, port, *rest, **named))
        if isinstance(answer, int):
            raise socket.gaierror(answer, "told by a test")
        return [_info(address, port) for address in answer]


def _info(address: str, port: int) -> tuple[int, int, int, str, tuple[Any, ...]]:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)


class Connections:
    """Every address that this process began to open a TCP connection to, by Python's own audit."""

    def __init__(self) -> None:
        self.on = True
        self.to: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or event != "socket.connect":
            return
        opened, address = arguments
        if opened.type == socket.SOCK_STREAM and isinstance(address, tuple):
            self.to.append(str(address[0]))


@pytest.fixture
def connections() -> Iterator[Connections]:
    seen = Connections()
    sys.addaudithook(seen)  # for as long as the process lives
    yield seen
    seen.on = False


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server)
    yield server
    server.dawdles.set()


async def _attempted(shop: Shop, name: str, port: int = 80, vendor_id: str | None = None) -> str:
    urls = {"upgradeUrl": f"http://{name}:{port}/hook"}
    return await shop.emit(await shop.integration(urls, schedule_s=(60.0,), vendor_id=vendor_id))


async def _first_attempt(shop: Shop, event_id: str) -> Attempt:
    await shop.until(event_id, lambda now: now.state.attempts >= 1)
    return (await shop.attempts([event_id]))[0]


async def test_ft34_bad_names_end_in_typed_errors_and_reach_nothing_inside(
    shop: Shop, names: NameServer, connections: Connections
) -> None:
    events = {name: await _attempted(shop, name) for name in NAMES}
    await shop.work(connect_timeout=CONNECT_TIMEOUT_S)
    for name, event_id in events.items():
        attempt = await _first_attempt(shop, event_id)
        if name in UNRESOLVED:
            assert (attempt.outcome, attempt.error_code) == (Outcome.CONNECT_FAILED, "TRANSPORT_ERROR"), name
            assert name in (attempt.error_detail or ""), "it says which name"
        else:
            assert (attempt.outcome, attempt.error_code) == (Outcome.BLOCKED, "CONFIGURATION_ERROR"), name
        answer = names.answers[name]
        assert isinstance(answer, int) or not any(address in (attempt.error_detail or "") for address in answer)
    assert set(connections.to) <= {"127.0.0.1", "::1"}
    assert names.asked.keys() >= NAMES.keys()


async def test_ft34_a_slow_name_server_costs_its_own_events_only(
    shop: Shop, names: NameServer, connections: Connections
) -> None:
    slow = [await _attempted(shop, "slow.example.com") for _ in range(3)]
    await shop.work(connect_timeout=CONNECT_TIMEOUT_S)
    began_s = time.monotonic()
    well = await shop.emit(await shop.integration({"upgradeUrl": f"http://localhost:{shop.host.port}/"}))
    assert (await shop.ended(well)).state.status is Status.SUCCEEDED
    assert time.monotonic() - began_s < SLOW_S
    for event_id in slow:
        attempt = await _first_attempt(shop, event_id)
        assert attempt.outcome is Outcome.TIMEOUT
        assert attempt.duration_ms < (CONNECT_TIMEOUT_S + 5) * 1000


async def test_ft34_slow_names_of_one_vendor_leave_threads_to_others_and_charge_nobody_for_want_of_one(
    shop: Shop, names: NameServer, connections: Connections
) -> None:
    """Symptom: 250 slow names took every thread, and hosts that were well were charged with attempts."""
    slow = {f"slow-{n}.example.com": "" for n in range(2 * LOOKUP_THREADS)}
    for name in slow:
        slow[name] = await _attempted(shop, name, vendor_id="slow")
    names.answers["well.example.com"] = ["127.0.0.1"]
    await shop.work(connect_timeout=CONNECT_TIMEOUT_S)
    await until(lambda: sum(name in names.asked for name in slow) >= LOOKUP_THREADS // 2)
    well = await _attempted(shop, "well.example.com", shop.host.port, vendor_id="well")
    stored = await shop.ended(well)
    assert (stored.state.status, stored.state.attempts) == (Status.SUCCEEDED, 1)
    unasked = [event_id for name, event_id in slow.items() if name not in names.asked]
    assert len(unasked) >= LOOKUP_THREADS
    assert await shop.attempts(unasked) == []


async def test_ft34_a_name_that_moves_inside_is_refused_from_then_on(
    shop: Shop, names: NameServer, connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.http.resolver.FRESH_S", 0)
    names.answers["moves.example.com"] = ["127.0.0.1"]
    shop.host.default = Reply(headers={"Connection": "close"})
    await shop.work(connect_timeout=CONNECT_TIMEOUT_S)
    outside = await _attempted(shop, "moves.example.com", shop.host.port)
    assert (await shop.ended(outside)).state.status is Status.SUCCEEDED
    for inside in ("10.0.0.1", "169.254.169.254"):
        names.answers["moves.example.com"] = [inside]
        attempt = await _first_attempt(shop, await _attempted(shop, "moves.example.com", shop.host.port))
        assert attempt.outcome is Outcome.BLOCKED, attempt
    assert set(connections.to) <= {"127.0.0.1", "::1"}
    assert len(shop.host.requests) == 1
