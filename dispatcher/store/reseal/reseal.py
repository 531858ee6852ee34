"""Seals again what is not sealed with the newest key, so that older keys can be dropped.

Goes through every definition, published revisions included, and the key that signs access tokens. Each record is
compared with what was read before it is replaced, so edits made meanwhile win and the record is taken up again; a
run that broke off is simply begun anew. Cached access tokens are left out: they end by themselves, and without their
key they are asked for again. Never shows a secret.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from functools import partial

from redis.asyncio import Redis

from dispatcher.errors import DispatcherError
from dispatcher.store import keys
from dispatcher.store.definitions.records import read_integration, read_revision, write_integration
from dispatcher.store.documents.swap import Document, publish, swap
from dispatcher.store.redis.connection import guarded
from dispatcher.store.secrets.fields import ACCESS_TOKEN_KEY
from dispatcher.store.secrets.sealing import Sealer, SealError
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from dispatcher.store.secrets.values import Change, found_in, in_integration, in_revision

PAGE = 20
"""Integrations that are looked at between two reports."""
REVISIONS_AT_ONCE = 50
TRIES = 16
MAX_PROBLEMS = 50


@dataclass(slots=True)
class Tally:
    """Counts of sealed values. ``stale``: still sealed with another key than the newest, when the run is over."""

    integrations: int = 0
    """Integrations there are; ``seen`` of them have been gone through."""
    seen: int = 0
    values: int = 0
    resealed: int = 0
    stale: int = 0
    problems: dict[str, str] = field(default_factory=dict)
    """Whose values cannot be sealed again → why, at most 50."""

    @property
    def well(self) -> bool:
        """Whether every value could be opened."""
        return not self.problems


class Resealer:
    """One run. Without ``write`` nothing is changed, and ``stale`` counts what a run would seal again."""

    def __init__(self, redis: Redis, sealer: Sealer, *, write: bool = True) -> None:
        self._redis = redis
        self._sealer = sealer
        self._write = write
        self.tally = Tally()

    async def run(self) -> Tally:
        async for _ in self.pages():
            pass
        return self.tally

    async def pages(self) -> AsyncIterator[Tally]:
        """Works; tells after every ``PAGE`` integrations how far it is."""
        await self._access_token_key()
        with guarded():
            ids = [one.decode() for one in await self._redis.zrange(keys.DEF_INTEGRATIONS, 0, -1)]
        self.tally.integrations = len(ids)
        for at in range(0, len(ids), PAGE):
            page = ids[at : at + PAGE]
            for integration_id, stored in zip(page, await self._stored(page), strict=True):
                if stored is not None:
                    await self._integration(integration_id, stored)
            self.tally.seen += len(page)
            yield self.tally

    async def _stored(self, integration_ids: list[str]) -> list[bytes | None]:
        with guarded():
            return list(await self._redis.mget([keys.definition(one) for one in integration_ids]))

    async def _integration(self, integration_id: str, stored: bytes) -> None:
        def renew(record: bytes, change: Change) -> bytes:
            renewed = _substituted(record, lambda noted: in_integration(read_integration(record), noted), change)
            if renewed == record:
                return record
            after = read_integration(renewed)
            return write_integration(replace(after, modified_ms=after.modified_ms + 1), renewed)

        await self._record(integration_id, keys.definition(integration_id), stored, renew)
        await self._revisions(integration_id, stored)

    async def _revisions(self, integration_id: str, stored: bytes) -> None:
        def renew(record: bytes, change: Change) -> bytes:
            return _substituted(record, lambda noted: in_revision(integration_id, read_revision(record), noted), change)

        try:
            newest = read_integration(stored).published_revision or 0
        except DispatcherError:
            return  # told of when the record itself was gone through
        for first in range(1, newest + 1, REVISIONS_AT_ONCE):
            numbers = range(first, min(first + REVISIONS_AT_ONCE, newest + 1))
            names = [keys.revision(integration_id, number) for number in numbers]
            with guarded():
                records = await self._redis.mget(names)
            for name, record in zip(names, records, strict=True):
                if record is not None:
                    await self._record(integration_id, name, record, renew)

    async def _record(self, whose: str, name: str, stored: bytes, renew: Callable[[bytes, Change], bytes]) -> None:
        """One record, read anew for as long as others change it."""
        current: bytes | None = stored
        for _ in range(TRIES):
            if current is None:
                return
            try:
                before = found_in(current)
                after = renew(current, partial(self._again, whose)) if self._stale(before) else current
            except (DispatcherError, ValueError) as error:
                self._complain(whose, str(error))
                return
            if after == current or not self._write:
                self._count(before, 0)
                return
            changed = publish(keys.DEFINITIONS_CHANNEL, whose)
            if await swap(self._redis, [Document(name, current, after)], [changed]):
                self._count(left := found_in(after), self._stale(before) - self._stale(left))
                return
            with guarded():
                current = await self._redis.get(name)
        self._complain(whose, "it keeps changing: run this again")

    async def _access_token_key(self) -> None:
        store = SigningKeyStore(self._redis)
        sealed = await store.current()
        if sealed is None:
            return
        after = self._again("the key that signs access tokens", sealed, ACCESS_TOKEN_KEY)
        renewed = self._write and after != sealed and await store.replace(sealed, after)
        self._count([after if renewed else sealed], int(renewed))

    def _again(self, whose: str, sealed: str, context: str) -> str:
        """Sealed with the newest key; as it is where it cannot be opened."""
        if not self._sealer.stale(sealed):
            return sealed
        try:
            return self._sealer.seal(self._sealer.open(sealed, context), context)
        except SealError as error:
            self._complain(whose, str(error))
            return sealed

    def _stale(self, values: list[str]) -> int:
        return sum(self._sealer.stale(one) for one in values)

    def _count(self, values: list[str], resealed: int) -> None:
        self.tally.values += len(values)
        self.tally.stale += self._stale(values)
        self.tally.resealed += resealed

    def _complain(self, whose: str, why: str) -> None:
        if len(self.tally.problems) < MAX_PROBLEMS:
            self.tally.problems.setdefault(whose, why)


def _substituted(record: bytes, walk: Callable[[Change], object], change: Change) -> bytes:
    """The record with new values in the place of old ones, and everything else as it is, to the byte."""
    replaced: dict[str, str] = {}

    def noted(sealed: str, context: str) -> str:
        return replaced.setdefault(sealed, change(sealed, context))

    walk(noted)
    for old, new in replaced.items():
        record = record.replace(old.encode(), new.encode())
    return record
