"""Marketplaces: read, made, changed and deleted. Never decides who may, and never opens a signing secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dispatcher.errors import Conflict, NotFound
from dispatcher.model.marketplace import Marketplace
from dispatcher.model.precondition import Precondition
from dispatcher.policy.installing.marketplace_access import Reach
from dispatcher.store.documents.swap import Document, Noted, Operation
from dispatcher.store.installations.writing.editing import Change, Place, modified, settled, written
from dispatcher.store.installations.writing.numbers import next_number
from dispatcher.store.installations.writing.records import read, write
from dispatcher.store.installations.writing.scoped import ScopedStore
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded


def marketplace_place(marketplace_id: int) -> Place[Marketplace]:
    key, kind = keys.marketplace(marketplace_id), "marketplace"
    return Place(Marketplace, key, kind=kind, id=str(marketplace_id))


class MarketplaceStore(ScopedStore):
    """Marketplaces; one out of ``reach`` reads as absent. With ``noting``, changes are in the audit log as well."""

    async def find(self, marketplace_id: int) -> Marketplace | None:
        record = await self._record(marketplace_id)
        return read(Marketplace, record) if record else None

    async def get(self, marketplace_id: int) -> Marketplace:
        """The marketplace, or ``NotFound``."""
        return read(Marketplace, await self._needed(marketplace_id))

    async def all(self) -> list[Marketplace]:
        """Every marketplace within reach, lowest id first."""
        with guarded():
            ids = [int(one) for one in await self._redis.zrange(keys.MARKETPLACES, 0, -1)]
            records = await self._redis.mget([keys.marketplace(one) for one in ids]) if ids else []
        found = [read(Marketplace, record) for record in records if record]
        return [one for one in found if self._reach.holds(one)]

    async def any(self) -> bool:
        """True where there is a marketplace at all, whosever it is."""
        with guarded():
            return bool(await self._redis.exists(keys.MARKETPLACES))

    async def reach(self) -> Reach:
        """The reach of this view in marketplaces alone: for accounts, which know no vendors."""
        if self._reach.vendor_id is None:
            return self._reach
        return replace(self._reach, marketplaces=frozenset(one.id for one in await self.all()))

    async def free_id(self) -> int:
        """The next id that nobody has taken."""
        while True:
            number = await next_number(self._redis, "marketplace")
            with guarded():
                if not await self._redis.exists(keys.marketplace(number)):
                    return number

    async def create(self, marketplace: Marketplace) -> None:
        """``Conflict`` (already_exists) when its id is taken."""
        document = Document(keys.marketplace(marketplace.id), b"", write(marketplace))
        place = Operation("ZADD", keys.MARKETPLACES, (marketplace.id, marketplace.id))
        if not await written(self._redis, _change(marketplace.id, document, place), self._noting):
            text = f"There is a marketplace {marketplace.id} already: give another id, or none."
            raise Conflict.of("already_exists", text, "id")

    async def edit(
        self, marketplace_id: int, change: Callable[[Marketplace], Marketplace], expected: Precondition | None = None
    ) -> Marketplace:
        """Apply ``change`` to the newest state. ``NotFound``; ``Conflict`` when it is not the expected one any more."""
        changed: list[Marketplace] = []

        async def make() -> Change:
            before = await self._needed(marketplace_id)
            current = read(Marketplace, before)
            if expected is not None and not expected(current.modified_ms):
                raise modified(f"Marketplace {marketplace_id}")
            changed[:] = [change(current)]
            return _change(
                marketplace_id, Document(keys.marketplace(marketplace_id), before, write(changed[0], before))
            )

        await settled(self._redis, make, f"Marketplace {marketplace_id}", self._noting)
        return changed[0]

    async def delete(self, marketplace_id: int, expected: Precondition | None = None) -> None:
        """``NotFound``; ``Conflict`` (still_used) when accounts were made in it, or it is not the expected one."""

        async def make() -> Change:
            before = await self._needed(marketplace_id)
            current = read(Marketplace, before)
            if expected is not None and not expected(current.modified_ms):
                raise modified(f"Marketplace {marketplace_id}")
            if current.has_accounts:
                text = "Accounts were made in this marketplace: take its products away instead."
                raise Conflict.of("still_used", text, "id")
            place = Operation("ZREM", keys.MARKETPLACES, (marketplace_id,))
            return _change(marketplace_id, Document(keys.marketplace(marketplace_id), before, b""), place)

        await settled(self._redis, make, f"Marketplace {marketplace_id}", self._noting)

    async def _record(self, marketplace_id: int) -> bytes | None:
        with guarded():
            record = await self._redis.get(keys.marketplace(marketplace_id))
        if not record or not self._reach.holds(read(Marketplace, record)):
            return None
        return bytes(record)

    async def _needed(self, marketplace_id: int) -> bytes:
        record = await self._record(marketplace_id)
        if record is None:
            raise NotFound.of("not_found", f"There is no marketplace {marketplace_id}.", "id")
        return record


def message(marketplace_id: int) -> str:
    """The message that announces a changed marketplace."""
    return f"marketplace:{marketplace_id}"


def _change(marketplace_id: int, document: Document, *operations: Operation) -> Change:
    noted = Noted("marketplace", str(marketplace_id), document)
    return Change([document], operations, [message(marketplace_id)], [noted])
