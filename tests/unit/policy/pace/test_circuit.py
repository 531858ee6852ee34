"""Circuit breaker and adaptive concurrency of one lane."""

from __future__ import annotations

from dispatcher.policy.pace.circuit import Circuit, CircuitState
from dispatcher.policy.pace.concurrency import ConcurrencyLimit


def opened(now_ms: int = 0) -> Circuit:
    circuit = Circuit(3, 1000)
    assert [circuit.failed(now_ms) for _ in range(3)] == [False, False, True]
    return circuit


def test_circuit_opens_after_consecutive_failures_only() -> None:
    circuit = Circuit(3, 1000)
    circuit.failed(0)
    circuit.failed(0)
    circuit.answered()
    circuit.failed(0)
    assert circuit.state is CircuitState.CLOSED
    assert circuit.admits(0)


def test_open_circuit_defers_until_its_time() -> None:
    circuit = opened()
    assert circuit.state is CircuitState.OPEN
    assert not circuit.admits(999)


def test_half_open_circuit_sends_exactly_one_probe() -> None:
    circuit = opened()
    assert [circuit.admits(1000) for _ in range(3)] == [True, False, False]
    assert circuit.state is CircuitState.HALF_OPEN


def test_a_probe_that_is_answered_closes_the_circuit() -> None:
    circuit = opened()
    circuit.admits(1000)
    assert circuit.answered()
    assert circuit.admits(1001)
    assert not circuit.failed(1002), "counting starts anew"


def test_a_probe_that_fails_opens_the_circuit_again() -> None:
    circuit = opened()
    circuit.admits(1000)
    assert circuit.failed(1500)
    assert not circuit.admits(2499)
    assert circuit.admits(2500)


def test_stragglers_of_an_open_circuit_do_not_prolong_it() -> None:
    circuit = opened()
    assert not circuit.failed(900)
    assert circuit.admits(1000)


def test_a_failed_probe_that_somebody_else_admitted_opens_the_circuit_again() -> None:
    circuit = opened()
    assert circuit.failed(1000)
    assert circuit.until_ms == 2000


def test_a_lost_probe_is_replaced() -> None:
    circuit = opened()
    circuit.admits(1000)
    assert circuit.admits(2000)


def test_an_abandoned_probe_is_replaced_at_once() -> None:
    circuit = opened()
    circuit.admits(1000)
    circuit.abandoned(1100)
    assert circuit.admits(1100)
    assert not circuit.admits(1101)


def test_an_owner_resumes_an_open_circuit() -> None:
    circuit = Circuit(3, 1000, until_ms=5000)
    assert not circuit.admits(4999)
    assert circuit.admits(5000)


def test_concurrency_grows_with_every_success_until_the_first_timeout() -> None:
    limit = ConcurrencyLimit(64, start=8)
    for _ in range(20):
        limit.succeeded(limit.limit)
    assert limit.limit == 28
    limit.timed_out()
    limit.succeeded(limit.limit)
    assert limit.limit == 14


def test_concurrency_grows_by_one_per_window_after_a_timeout_up_to_the_maximum() -> None:
    limit = ConcurrencyLimit(4)
    limit.timed_out()
    assert limit.limit == 2
    for _ in range(2):
        limit.succeeded(limit.limit)
    assert limit.limit == 3
    for _ in range(30):
        limit.succeeded(limit.limit)
    assert limit.limit == 4


def test_a_wave_of_timeouts_halves_concurrency_once() -> None:
    limit = ConcurrencyLimit(128)
    for _ in range(100):
        limit.timed_out()
    assert limit.limit == 64
    for _ in range(60):
        limit.timed_out()
    assert limit.limit == 32, "a second wave halves it again"


def test_concurrency_never_falls_below_one() -> None:
    limit = ConcurrencyLimit(8)
    for _ in range(1000):
        limit.timed_out()
    assert limit.limit == 1
    for _ in range(1000):
        limit.succeeded(limit.limit)
    assert limit.limit == 8


def test_concurrency_that_is_not_half_used_does_not_grow() -> None:
    limit = ConcurrencyLimit(64, start=8)
    for _ in range(100):
        limit.succeeded(3)
    assert limit.limit == 8
    limit.succeeded(4)
    assert limit.limit == 9


def test_a_smaller_maximum_applies_at_once() -> None:
    limit = ConcurrencyLimit(128)
    limit.resize(10)
    assert limit.limit == 10
