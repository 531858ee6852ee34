"""Places of a worker: young attempts count against no share, slow ones do, by vendor and then by integration."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.policy.pace.places import ALL_BYTES, LONG_S, SPARE_FILES, Occupancy, Places, slots

ALL = 2048
YOUNG = 512


def _of_vendors(integration_id: str) -> str | None:
    """``acme.1`` is acme's, ``?.1`` is not known yet, and ``solo`` nobody's."""
    vendor, _, _ = integration_id.partition(".")
    return None if vendor == "?" else vendor


def _places() -> Places:
    return Places(YOUNG, ALL - YOUNG, _of_vendors)


def _of(places: Places, integration_id: str) -> Occupancy:
    one = Occupancy(integration_id)
    places.learn(one)
    return one


def _take(places: Places, one: Occupancy, count: int) -> list[int]:
    turns = [places.take(one) for _ in range(count)]
    return [turn for turn in turns if turn is not None]


def _wait(places: Places, now: float) -> float:
    """Until all that runs has waited for long."""
    places.lent(now + LONG_S)
    places.lent(now + 2 * LONG_S)
    return now + 2 * LONG_S


def test_a_vendor_alone_has_all_places_while_its_hosts_answer() -> None:
    places, now = _places(), 0.0
    one = _of(places, "acme.1")
    for _ in range(50):
        turns = _take(places, one, YOUNG)
        assert len(turns) == YOUNG
        now += LONG_S
        assert places.lent(now) == 0
        for turn in turns:
            places.give_back(one, turn)
    assert (one.running, one.slow, one.tenant.running, one.tenant.slow) == (0, 0, 0, 0)


def test_a_vendor_whose_hosts_hang_keeps_half_of_all_places_however_many_integrations_it_has() -> None:
    places, now = _places(), 0.0
    lanes = [_of(places, f"acme.{n}") for n in range(90)]
    for _ in range(10):
        room = YOUNG - (sum(lane.running for lane in lanes) - places.lent(now))
        for lane in lanes:
            taken = len(_take(places, lane, min(32, room)))
            room -= taken
        now = _wait(places, now)
    assert sum(lane.running for lane in lanes) <= ALL // 2
    healthy = _of(places, "other.1")
    assert len(_take(places, healthy, YOUNG)) == YOUNG


def test_one_hanging_integration_leaves_places_to_others_of_its_vendor() -> None:
    places = _places()
    hanging, well = _of(places, "acme.1"), _of(places, "acme.2")
    _take(places, hanging, YOUNG)
    _wait(places, 0.0)
    assert _take(places, hanging, YOUNG) == []
    assert len(_take(places, well, YOUNG)) == YOUNG


def test_a_few_slow_hosts_of_a_busy_vendor_cost_it_nothing() -> None:
    places = _places()
    slow, fast = _of(places, "acme.slow"), _of(places, "acme.fast")
    _take(places, slow, 20)
    _wait(places, 0.0)
    assert len(_take(places, fast, YOUNG)) == YOUNG


def test_a_vendor_holds_at_most_half_of_the_bytes_that_others_leave() -> None:
    places, large = _places(), ALL_BYTES // 16
    acme, other = [_of(places, f"acme.{n}") for n in range(16)], _of(places, "other.1")
    assert sum(places.take(one, large) is not None for one in acme) == 8
    assert [places.take(other, large) is not None for _ in range(6)] == [True] * 4 + [False] * 2
    assert places.take(_of(places, "third.1"), large) is not None
    turn = 0
    places.give_back(acme[0], turn, large)
    assert places.take(other, large) is None
    assert places.take(acme[1], large) is None, "the others have more by now"


@given(st.integers(0, 2**32))
def test_all_that_is_taken_is_given_back_in_whatever_order_attempts_end(seed: int) -> None:
    chance, places, now = random.Random(seed), Places(8, 24, _of_vendors), 0.0
    lanes = [_of(places, name) for name in ("acme.1", "acme.2", "other.1", "?.1", "solo")]
    running: list[tuple[Occupancy, int]] = []
    for _ in range(300):
        now += chance.random() * LONG_S
        lent = places.lent(now)
        assert 0 <= lent <= 24
        if running and chance.random() < 0.4:
            places.give_back(*running.pop(chance.randrange(len(running))))
        elif len(running) - lent < 8:
            lane = chance.choice(lanes)
            turn = places.take(lane)
            if turn is not None:
                running.append((lane, turn))
        for lane in lanes:
            assert lane.running == sum(one is lane for one, _ in running)
            assert 0 <= lane.slow + lane.recent + lane.fresh == lane.running
            assert lane.tenant.slow == sum(one.slow for one in lanes if one.tenant is lane.tenant)
    assert len(running) <= 32


@pytest.mark.parametrize(
    ("wanted", "files", "expected"),
    [
        (512, -1, (512, 1536)),
        (512, 1_048_576, (512, 1536)),
        (512, 1024, (512, 312)),
        (512, 512, (195, 117)),
        (512, 64, (13, 9)),
        (512, 3, (1, 1)),
        (4, 1024, (4, 12)),
    ],
)
def test_places_are_bounded_by_the_files_that_may_be_open(wanted: int, files: int, expected: tuple[int, int]) -> None:
    young, lent = slots(wanted, files)
    assert (young, lent) == expected
    assert files < SPARE_FILES or young + lent + SPARE_FILES <= files
