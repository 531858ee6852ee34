"""A disk that hangs: nothing waits for it for long, and no process stays for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.programs import completed

ENDS = """
import asyncio, sys
from dispatcher.errors import ArchiveUnavailable
from dispatcher.store.archive import archive as module
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.storage.files import FileStorage
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
    done = completed([sys.executable, "-c", ENDS, str(tmp_path)])
    assert (done.status, done.err) == (0, "")
    assert "does not answer within" in done.out
