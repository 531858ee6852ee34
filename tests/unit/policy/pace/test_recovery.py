"""After an outage a host is given at most twice what it answered in the second before, and soon everything."""

from __future__ import annotations

from dispatcher.policy.pace.recovery import GENTLE_MS, Recovery


def recovered(answer_ms: int, until_ms: int = 60_000) -> tuple[list[int], list[int], int]:
    """Attempts begun and answered in each second at a host that takes ``answer_ms``, and when all may go."""
    recovery, begun, under_way = Recovery(0), [0] * 60, list[int]()
    answered = [1] + [0] * 59
    credit = 0.0
    for now_ms in range(0, until_ms, 5):
        for due_ms in [one for one in under_way if one <= now_ms]:
            under_way.remove(due_ms)
            recovery.answered(now_ms)
            answered[now_ms // 1000] += 1
            if recovery.is_over(now_ms, len(under_way)):
                return begun, answered, now_ms
        credit = min(1.0, credit + recovery.allowed / 200)
        if credit >= 1 and len(under_way) < recovery.allowed:
            credit -= 1
            under_way.append(now_ms + answer_ms)
            begun[now_ms // 1000] += 1
    return begun, answered, until_ms


def test_each_second_begins_at_most_twice_the_answers_of_the_second_before() -> None:
    begun, answered, _ = recovered(10)
    assert begun[0] <= 2
    for second in range(1, 5):
        assert begun[second] <= 2 * answered[second - 1]


def test_a_host_of_10_ms_has_everything_within_5_s() -> None:
    begun, _, over_ms = recovered(10)
    assert GENTLE_MS <= over_ms <= 5000
    assert sum(begun) < 80


def test_a_host_that_takes_seconds_is_not_given_more_than_it_answers() -> None:
    begun, _, over_ms = recovered(3000)
    assert over_ms > 5000
    assert max(begun[:5]) <= 4


def test_after_a_silent_second_it_begins_anew() -> None:
    recovery = Recovery(0)
    for at_ms in range(0, 1000, 50):
        recovery.answered(at_ms)
    recovery.answered(1000)
    assert recovery.allowed == 42
    recovery.answered(3500)
    assert recovery.allowed == 2
    assert recovery.is_over(60_000, 0)
    assert not recovery.is_over(60_000, 3)
