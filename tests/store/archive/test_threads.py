"""Threads of the archive are few, and one that hangs on a disk keeps no process from ending."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dispatcher.store.archive.threads import DaemonThreads
from tests.waiting import until

ENDS = """
import asyncio, sys
from dispatcher.errors import ArchiveUnavailable
from dispatcher.store.archive import archive as module
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.files import FileStorage
from pathlib import Path

async def main():
    module.WITHIN_S = 0.1
    archive = Archive(None, FileStorage(Path(sys.argv[1])), lambda: 0)
    try:
        await archive.blocking(archive.storage.identity)
    except ArchiveUnavailable as error:
        print(error)

asyncio.run(main())
"""


def test_a_disk_that_hangs_keeps_no_process_from_ending(tmp_path: Path) -> None:
    """Nobody ever writes to this pipe: to open it hangs."""
    os.mkfifo(tmp_path / "archive.id")
    command = [sys.executable, "-c", ENDS, str(tmp_path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "does not answer within" in done.stdout


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
