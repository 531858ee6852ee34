"""Threads for what blocks are few, and a process ends without those that hang."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from dispatcher.daemon_threads import DaemonThreads
from tests.waiting import until


async def test_so_many_at_a_time_and_each_has_its_turn() -> None:
    threads, go, seen = DaemonThreads(2, "few"), threading.Event(), list[str]()

    def work() -> str:
        name = threading.current_thread().name
        seen.append(name)
        assert go.wait(30)
        return name

    tasks = [asyncio.create_task(threads.run(work)) for _ in range(5)]
    await until(lambda: len(seen) == 2)
    tasks[4].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[4]
    go.set()
    assert set(await asyncio.gather(*tasks[:4])) <= {"few-1", "few-2"}
    assert len(seen) == 4


async def test_an_error_is_raised_where_it_is_waited_for_and_threads_end_with_their_owner() -> None:
    threads = DaemonThreads(2, "failing")

    def fail() -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        await threads.run(fail)
    assert await threads.run(lambda: 7) == 7
    del threads
    gc.collect()
    await until(lambda: not any(one.name.startswith("failing") for one in threading.enumerate()))
