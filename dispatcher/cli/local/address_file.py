"""The address of a developer's server, noted in its data folder so that other verbs find it. Holds no secret.

``listening.lock`` is held for as long as it listens: a lock that is free means a note that was left behind.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from dispatcher.data_folder import open_lock, private_folder, try_lock, write_private

NOTE = "listening.json"
LOCK = "listening.lock"
TRIES = 5
PAUSE_S = 0.01
"""A reader holds the lock for a moment too."""


@contextmanager
def announced(folder: Path, *addresses: str) -> Iterator[None]:
    """Found while this lasts, first under the first address. Of several servers on one folder, the first is noted."""
    folder = private_folder(folder)
    with open_lock(folder / LOCK) as lock:
        if not _locked(lock):
            yield
            return
        write_private(folder / NOTE, orjson.dumps({"addresses": addresses, "pid": os.getpid()}).decode())
        try:
            yield
        finally:
            (folder / NOTE).unlink(missing_ok=True)


def announced_addresses(folder: Path) -> list[str]:
    """The address of the server that runs on ``folder`` now; empty when none does."""
    try:
        note = orjson.loads((folder / NOTE).read_bytes())
        with open_lock(folder / LOCK) as lock:
            gone = try_lock(lock, fcntl.LOCK_SH)
        return [] if gone else [str(address) for address in note["addresses"]]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return []


def _locked(lock: int) -> bool:
    for _ in range(TRIES):
        if try_lock(lock, fcntl.LOCK_EX):
            return True
        time.sleep(PAUSE_S)
    return False
