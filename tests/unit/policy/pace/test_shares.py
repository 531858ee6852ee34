"""Nobody takes more than half of what the others leave, so there is something left for the next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.policy.pace.shares import may_take, share

ALL = 2048


def _take_all_they_can(of_all: int, turns: list[int]) -> dict[int, int]:
    held: dict[int, int] = {}
    for who in turns:
        others = sum(held.values()) - held.get(who, 0)
        while may_take(of_all, others, held.get(who, 0)):
            held[who] = held.get(who, 0) + 1
    return held


def test_the_first_may_hold_a_half_the_second_a_quarter() -> None:
    assert [share(ALL, 0), share(ALL, 1024), share(ALL, 1536), share(ALL, ALL), share(ALL, 3000)] == [
        1024,
        512,
        256,
        0,
        0,
    ]


@given(st.integers(1, 300), st.lists(st.integers(0, 40), max_size=60))
def test_whoever_takes_all_it_can_leaves_as_much_to_those_that_come(of_all: int, turns: list[int]) -> None:
    held = _take_all_they_can(of_all, turns)
    assert sum(held.values()) <= of_all
    for mine in held.values():
        left = of_all - sum(held.values())
        assert not may_take(of_all, sum(held.values()) - mine, mine) or left > 0


@given(st.integers(2, 5000), st.integers(1, 8))
def test_there_is_a_place_for_a_newcomer_after_several_that_took_all_they_could(of_all: int, greedy: int) -> None:
    held = _take_all_they_can(of_all, list(range(greedy)))
    left = of_all - sum(held.values())
    assert left >= of_all >> (greedy + 1)
    assert may_take(of_all, sum(held.values()), 0) is (left > 0)


@given(st.integers(1, 300), st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=400))
def test_in_any_order_of_taking_and_giving_back_no_more_is_held_than_there_is(
    of_all: int, steps: list[tuple[int, bool]]
) -> None:
    held = dict.fromkeys(range(6), 0)
    for who, takes in steps:
        mine = held[who]
        if not takes:
            held[who] = max(0, mine - 1)
        elif may_take(of_all, sum(held.values()) - mine, mine):
            held[who] += 1
    assert sum(held.values()) <= of_all
