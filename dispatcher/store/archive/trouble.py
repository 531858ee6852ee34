"""The reason why the archive cannot be used now: as a worker that failed to write noted it, or as is seen from here."""

from __future__ import annotations

from dispatcher.errors import ArchiveUnavailable
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.belonging import mismatch
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client

NOTED_S = 900
"""Longer than a worker waits before it tries again."""


async def note(client: Client, error: ArchiveUnavailable) -> None:
    """Tell everybody what kept this worker from archiving."""
    with guarded():
        await client.set(keys.ARCHIVE_TROUBLE, str(error), ex=NOTED_S)


async def clear(client: Client) -> None:
    """This worker could archive again."""
    with guarded():
        await client.delete(keys.ARCHIVE_TROUBLE)


async def trouble(archive: Archive | None) -> str | None:
    """None = all is well, or there is no archive. Raises ``StoreUnavailable`` when Redis does not answer."""
    if archive is None:
        return None
    with guarded():
        noted = await archive.client.get(keys.ARCHIVE_TROUBLE)
    if noted:
        return str(noted.decode())
    try:
        return await mismatch(archive)
    except ArchiveUnavailable as error:
        return str(error)
