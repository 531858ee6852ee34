"""The folder of embedded data and generated keys: closed to other users, with locks between programs.

Never deletes what is in it.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dispatcher.errors import ConfigurationError

MAX_SOCKET_PATH_BYTES = 100
"""A Unix socket's path has room for 107 bytes on Linux and 103 on macOS."""


def private_folder(folder: Path) -> Path:
    """``folder`` as an absolute path, made if need be, with mode 700. Raises ConfigurationError if it cannot be."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise ConfigurationError(
            f"the data folder {folder} cannot be used ({error.strerror}): set DISPATCHER_DATA_DIR to one of your own"
        ) from error
    return folder.resolve()


def holds_store(folder: Path) -> bool:
    """True when a server has run in ``folder``, or its data were put there. Makes nothing."""
    return os.path.isdir(folder / "appendonlydir")  # noqa: PTH112 - Path.is_dir raises where this user may not look


def socket_path(folder: Path) -> Path:
    """The socket of ``folder``'s server: in it if the path is short enough, else in a private temporary folder.

    The file ``socket`` keeps the temporary path, so that every program finds the same one.
    """
    path = folder / "server.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    with open_lock(folder / "socket.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _noted_path(folder / "socket") or _new_path(folder / "socket")


def write_private(path: Path, text: str) -> None:
    """Writes a file that only this user may read, all of it or nothing."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


@contextmanager
def open_lock(path: Path) -> Iterator[int]:
    """A file to lock, by its descriptor; closing it at the end lets go of the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, kind: int) -> bool:
    """Takes a lock of ``kind`` (``fcntl.LOCK_EX`` or ``LOCK_SH``) unless another program's stands against it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _noted_path(note: Path) -> Path | None:
    if not note.exists():
        return None
    path = Path(note.read_text())
    return path if path.is_absolute() and _is_private(path.parent) else None


def _new_path(note: Path) -> Path:
    path = Path(tempfile.mkdtemp(prefix="dispatcher-", dir="/tmp")) / "server.sock"
    write_private(note, str(path))
    return path


def _is_private(folder: Path) -> bool:
    """True for a real folder that is this user's and closed to all others."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o077
