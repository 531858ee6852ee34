"""Machines whose clock is wrong, or is set while they work: due times, signatures and tokens go by Redis's clock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dispatcher.clock import StoreClock
from dispatcher.policy.notification.signing import parse_secret
from dispatcher.policy.notification.verification import verify
from tests.faults.client import client_of
from tests.faults.deployment import FULL, Deployment
from tests.hosts import Received, Reply
from tests.worker.conftest import SECRET

pytestmark = pytest.mark.slow

HOUR_S = 3600
RETRY_S = 2.0
SHIFTED = Path(__file__).parent / "shifted_clock"


class Machine:
    """The wall clock of every process that is started while it is set up."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._file = folder / "shift"
        patch.setenv("PYTHONPATH", str(SHIFTED))
        patch.setenv("TEST_CLOCK_SHIFT_FILE", str(self._file))

    def set(self, ahead_s: float) -> None:
        written = self._file.with_suffix(".new")
        written.write_text(str(ahead_s))
        written.replace(self._file)


@pytest.mark.parametrize("ahead_s", [HOUR_S, -HOUR_S] if FULL else [HOUR_S])
async def test_ft29_wrong_and_stepping_clocks_sign_and_wait_by_the_stores_time(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead_s: float
) -> None:
    machine = Machine(tmp_path, monkeypatch)
    machine.set(ahead_s)
    host = deployment.host
    host.requires_token = True
    integration = await deployment.integration(oauth2=True, schedule_s=(RETRY_S,))
    worker = await deployment.worker()
    async with client_of(deployment, integration) as client:
        await worker.heard("(clock differs from the store's)")
        host.replies.append(Reply(500))
        first = await client.emitted("A", "first")
        await host.wait_for(1)
        machine.set(-ahead_s)
        host.replies.append(Reply(500))
        second = await client.emitted("B", "second")
        await host.wait_for(2)
        machine.set(0)
        third = await client.emitted("C", "third")
        await deployment.all_succeed([first, second, third])
        await worker.heard("(clock agrees with the store's again)")
    assert_signed_now(host.requests)
    assert len(host.tokens.requests) == 1, "a clock that stepped ended a good token"
    for event_id in (first, second):
        before, after = [r.arrived_s for r in host.requests if r.headers["webhook-id"] == event_id]
        assert RETRY_S * 0.8 - 0.1 <= after - before <= RETRY_S * 1.2 + 1
    for stored in [await deployment.queue.get(event_id) for event_id in (first, second, third)]:
        assert stored is not None
        assert abs(stored.state.created_ms / 1000 - time.time()) < 30
    attempts = await deployment.attempts([first, second, third])
    assert all(abs(attempt.started_ms / 1000 - time.time()) < 30 for attempt in attempts)
    await deployment.assert_well()


def assert_signed_now(requests: list[Received]) -> None:
    """As a product host would check them, with a second instead of five minutes."""
    for request in requests:
        arrived_s = time.time() - (time.monotonic() - request.arrived_s)
        msg_id, timestamp, signature = (request.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        keys = [parse_secret(SECRET)]
        found = verify(keys, msg_id, timestamp, signature, request.body, now_s=arrived_s, tolerance_s=2)
        assert found.genuine, found


class Hands:
    """A clock that is moved by hand."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


def test_ft29_a_slow_reply_moves_the_clock_no_further_than_it_proves() -> None:
    steady = Hands(1000.0)
    clock = StoreClock(wall=steady, steady=steady)
    steady.now_s = 1005.0  # asked at 1000 and answered five seconds later, by a store that looked at its clock at 1000
    clock.learn(store_ms=1_000_000, asked_s=1000.0)
    assert clock() == 1005.0
    clock.learn(store_ms=1_008_000, asked_s=1004.99)
    assert clock.now_ms() == 1_008_000, "a fast reply proves that the clock was wrong"


def test_ft29_the_clock_goes_on_steadily_when_the_machines_is_set() -> None:
    wall, steady = Hands(5000.0), Hands(1000.0)
    clock = StoreClock(wall=wall, steady=steady)
    clock.learn(store_ms=2_000_000, asked_s=1000.0)
    wall.now_s += HOUR_S
    steady.now_s += 1.0
    assert clock() == 2001.0
    assert clock.machine_ahead_s() == pytest.approx(5000 + HOUR_S - 2001)
