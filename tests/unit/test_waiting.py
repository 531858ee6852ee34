"""Waiting of the tests: the first true answer, errors that count as none, and a deadline that says what was seen."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from tests.waiting import until, wait_until


async def test_first_true_answer_is_returned_of_a_look_of_either_kind() -> None:
    answers = deque([0, 0, 3, 4])

    async def look() -> int:
        return answers.popleft()

    assert await until(look) == 3
    assert await until(answers.popleft) == 4


async def test_error_that_is_expected_counts_as_no_answer_and_any_other_ends_the_wait() -> None:
    answers = {"there": 1}
    names = deque(["away", "there"])
    assert await until(lambda: answers[names.popleft()], despite=KeyError) == 1
    with pytest.raises(IndexError):
        await until(names.popleft, despite=(KeyError, ValueError))


async def test_look_that_never_answers_ends_at_the_deadline_with_what_was_told() -> None:
    with pytest.raises(TimeoutError, match=r"not within 0\.01 s; the last look found None\. it hangs"):
        await until(asyncio.Event().wait, 0.01, tell=lambda: "it hangs")


def test_waiting_without_a_loop_is_the_same() -> None:
    answers, names = {"there": 1}, deque(["away", "there"])
    assert wait_until(lambda: answers[names.popleft()], despite=KeyError) == 1
    with pytest.raises(TimeoutError, match=r"the last look found 0\. it stays 0"):
        wait_until(lambda: 0, 0.01, tell=lambda: "it stays 0")
