"""Says whether a storage is the one that has this store's history: both know its id, which the first writer made."""

from __future__ import annotations

import secrets

from dispatcher.errors import ArchiveUnavailable
from dispatcher.store.archive.archive import Archive
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded


async def mismatch(archive: Archive) -> str | None:
    """The reason why this storage cannot be used; None = it is the right one, or no history has begun.

    Raises ``StoreUnavailable``.
    """
    with guarded():
        stored = await archive.client.get(keys.ARCHIVE)
    expected, here = stored.decode() if stored else None, await archive.blocking(archive.storage.identity)
    if expected == here:
        return None
    words = archive.storage.words
    if here is None:
        return f"the archive {words.label} is not there, or empty: {words.doubt}"
    if expected is None:
        return f"the archive {words.label} belongs to another store: give an empty place, or that store's Redis"
    return f"the archive {words.label} belongs to another store than this one: correct {words.setting}"


async def require(archive: Archive, partitions: int) -> None:
    """Begin the history, or go on with it. Raises ``ArchiveUnavailable`` for a storage that is not the right one."""
    if await archive.blocking(archive.storage.identity) is None:
        await _begin(archive, partitions)
    if wrong := await mismatch(archive):
        raise ArchiveUnavailable(wrong)


async def _begin(archive: Archive, partitions: int) -> None:
    """Only while there are no segments: else the storage that has them is away."""
    if await archive.manifest.segments(range(partitions)):
        return
    with guarded():
        await archive.client.set(keys.ARCHIVE, secrets.token_hex(8), nx=True)
        expected = await archive.client.get(keys.ARCHIVE)
    if expected:
        await archive.blocking(archive.storage.identify, expected.decode())
