"""A few daemon threads for what blocks: one that hangs on a disk, a name or a server keeps no process from ending."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeVar

T = TypeVar("T")

Work = Callable[[], None]


class DaemonThreads:
    """So many at most, each begun when nobody is idle; they end with this object.

    What nobody waits for any more, and has begun, holds its thread until it ends.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._name = name
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._lock = Lock()
        self._begun = 0
        self._unfinished = 0
        weakref.finalize(self, _end, self._queue, count).atexit = False

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``, or its error; cancelled before it began, it never does."""
        return await asyncio.wrap_future(self.submit(work))

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """The same as a future, which ends when the work does, whoever still waits."""
        result: Future[T] = Future()
        result.add_done_callback(self._finished)
        self._add(lambda: _do(work, result))
        return result

    def _add(self, work: Work) -> None:
        with self._lock:
            self._unfinished += 1
            if self._begun < min(self._unfinished, self._count):
                self._begun += 1
                Thread(target=_take, args=(self._queue,), name=f"{self._name}-{self._begun}", daemon=True).start()
        self._queue.put(work)

    def _finished(self, _: Future[T]) -> None:
        with self._lock:
            self._unfinished -= 1


def _take(queue: SimpleQueue[Work | None]) -> None:
    while work := queue.get():
        work()
        del work


def _do(work: Callable[[], T], result: Future[T]) -> None:
    if not result.set_running_or_notify_cancel():
        return
    try:
        done = work()
    except BaseException as error:
        result.set_exception(error)
    else:
        result.set_result(done)


def _end(queue: SimpleQueue[Work | None], count: int) -> None:
    for _ in range(count):
        queue.put(None)
