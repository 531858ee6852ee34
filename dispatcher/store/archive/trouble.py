"""The reason why the archive cannot be used now: as a worker that failed to write noted it, or as is seen from here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from dispatcher.clock import Seconds
from dispatcher.errors import ArchiveUnavailable
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.belonging import mismatch
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client

NOTED_S = 900
"""Longer than a worker waits before it tries again."""
LOOK_EVERY_S = 15.0
LOOK_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Noted:
    """A trouble that a worker told of. ``by``: its id; ``age_s``: how long ago."""

    words: str
    by: str
    age_s: int


async def note(client: Client, error: ArchiveUnavailable, by: str) -> None:
    """Tell everybody what kept this worker from archiving."""
    with guarded():
        await client.set(keys.ARCHIVE_TROUBLE, f"{' '.join(str(error).split())}\n{by}", ex=NOTED_S)


async def clear(client: Client) -> None:
    """This worker could archive again."""
    with guarded():
        await client.delete(keys.ARCHIVE_TROUBLE)


async def noted(client: Client) -> Noted | None:
    """The newest trouble that a worker told of, and that has not ended since."""
    with guarded():
        stored, left_ms = await client.get(keys.ARCHIVE_TROUBLE), await client.pttl(keys.ARCHIVE_TROUBLE)
    if not stored:
        return None
    words, _, by = stored.decode().partition("\n")
    return Noted(words, by, max(0, NOTED_S - left_ms // 1000))


async def trouble(archive: Archive | None) -> str | None:
    """None = all is well, or there is no archive. Raises ``StoreUnavailable`` when Redis does not answer."""
    if archive is None:
        return None
    told = await noted(archive.client)
    return told.words if told else await seen_here(archive)


async def seen_here(archive: Archive) -> str | None:
    """The same as this process sees it now, whatever a worker noted."""
    try:
        return await mismatch(archive)
    except ArchiveUnavailable as error:
        return str(error)


@dataclass(slots=True)
class TroubleWatch:
    """The same for who asks every few seconds: a storage that is slow, or bills requests, is looked at less often."""

    archive: Archive | None
    steady: Seconds
    _seen: str | None = None
    _due_s: float = 0.0

    async def now(self) -> str | None:
        """Raises ``StoreUnavailable`` when Redis does not answer."""
        if self.archive is not None and self.steady() >= self._due_s:
            self._seen = await self._looked(self.archive)
            self._due_s = self.steady() + LOOK_EVERY_S
        return self._seen

    async def _looked(self, archive: Archive) -> str | None:
        try:
            async with asyncio.timeout(LOOK_WITHIN_S):
                return await trouble(archive)
        except TimeoutError:
            words = archive.storage.words
            return f"the archive {words.label} does not answer within {LOOK_WITHIN_S:.0f} s; {words.remedy}"
