"""Segments as files below one folder, which the API and all workers share. All calls block.

A file appears under its name only when it is whole and on the disk: written beside, synced, renamed, its folder synced.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from dispatcher.store.archive.storage.interface import Span, Words

IDENTITY = "archive.id"
_ONLY_OURS = 0o600


class FileStorage:
    """One folder, with one below it for each partition."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._words = Words(
            str(folder), "DISPATCHER_ARCHIVE_DIR", "is its disk mounted, and is it the right folder?", "see its disk"
        )

    @property
    def words(self) -> Words:
        return self._words

    def identity(self) -> str | None:
        """None also where there is no folder."""
        try:
            return (self._folder / IDENTITY).read_text().strip() or None
        except FileNotFoundError:
            return None

    def identify(self, identity: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._put(self._folder / IDENTITY, identity.encode())

    def write(self, key: str, content: bytes) -> None:
        path = self._folder / key
        if not path.parent.is_dir():
            path.parent.mkdir(exist_ok=True)
            _sync(self._folder)
        self._put(path, content)

    def read(self, key: str, at: int, size: int) -> bytes:
        with (self._folder / key).open("rb", buffering=0) as file:
            return _all_of(file.fileno(), at, size)

    def read_each(self, spans: Mapping[str, Span]) -> Mapping[str, bytes]:
        """None: a disk is no quicker for being asked earlier."""
        return {}

    def ages_s(self, partition: int, now_s: float) -> dict[str, float]:
        with contextlib.suppress(FileNotFoundError):
            return dict(self._ages(self._folder / str(partition), now_s))
        return {}

    def _ages(self, folder: Path, now_s: float) -> Iterator[tuple[str, float]]:
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                yield path.name, now_s - path.stat().st_mtime

    def delete(self, key: str) -> None:
        path = self._folder / key
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            _sync(path.parent)

    def rehearse(self) -> None:
        """A folder that is not there yet is made for it, and removed: who looks is no one to own what workers write."""
        with self._folder_there():
            self._rehearse()

    @contextlib.contextmanager
    def _folder_there(self) -> Iterator[None]:
        missing = [one for one in (self._folder, *self._folder.parents) if not one.exists()]
        try:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OSError(f"its folder cannot be made ({error.strerror}): correct {self._words.setting}") from error
            yield
        finally:
            for one in missing:
                with contextlib.suppress(OSError):  # it was never made, or a worker has begun its history in it
                    one.rmdir()

    def _rehearse(self) -> None:
        name, content = f".rehearsal-{secrets.token_hex(4)}", secrets.token_bytes(16)
        self._put(self._folder / name, content)
        kept = self.read(name, 0, len(content) + 1)
        self.delete(name)
        if kept != content:
            raise OSError("it does not keep what is written")

    def _put(self, path: Path, content: bytes) -> None:
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OURS)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync(path.parent)


def _sync(folder: Path) -> None:
    """Makes renames and removals in it last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _all_of(descriptor: int, at: int, size: int) -> bytes:
    parts = []
    while size and (part := os.pread(descriptor, size, at)):
        parts.append(part)
        at, size = at + len(part), size - len(part)
    return b"".join(parts)
