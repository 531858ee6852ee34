"""Reading integration definitions, their published revisions and products. Never writes."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self, TypeVar, cast

import structlog
from redis.asyncio import Redis

from dispatcher.errors import InvalidRequest
from dispatcher.model.integration import WORKING, Integration, Product, Revision
from dispatcher.store.definitions.records import BrokenDefinition, read_integration, read_product, read_revision
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
RevisionId = tuple[str, int]
"""Integration id and number."""
Position = tuple[int, str]
"""Creation of an integration in ms, and its id."""

log = structlog.get_logger("dispatcher.store")

COUNTED_AT_ONCE = 16
"""Records that a counted view reads before it counts them."""
RECORD_BYTES = 2048
"""A smaller record counts as much: what is made of it is no smaller."""

_CURSOR = re.compile(r"(\d{1,15}):([0-9a-f-]{36})(?::([0-9a-f]{8}))?")
_UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class IntegrationPage:
    """Oldest first. ``next_cursor`` None = there is no more."""

    items: list[Integration]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Definitions that one read found; those that do not exist are left out."""

    integrations: dict[str, Integration]
    revisions: dict[RevisionId, Revision]
    products: dict[str, Product]
    broken: frozenset[str] = frozenset()
    """Integrations that are there, but cannot be read, or not the revision asked for."""


class DefinitionReads:
    """Typed reads of everything under the ``{def}`` hash tag.

    ``of_vendor`` gives a view in which only one vendor's definitions exist: another's read as absent.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._vendor_id: str | None = None
        self._spend: Callable[[int], Awaitable[None]] | None = None

    @property
    def vendor_id(self) -> str | None:
        """The vendor whose definitions alone exist in this view; None = all do."""
        return self._vendor_id

    def of_vendor(self, vendor_id: str | None) -> Self:
        """The same store as a client of that vendor sees it; None = all of it."""
        view = copy.copy(self)
        view._vendor_id = vendor_id  # noqa: SLF001 - of its own kind
        return view

    def counted(self, spend: Callable[[int], Awaitable[None]]) -> Self:
        """The same store; ``spend`` is told of the bytes that this view reads, and holds a reading up or ends it."""
        view = copy.copy(self)
        view._spend = spend  # noqa: SLF001 - of its own kind
        return view

    async def integration(self, any_id: str) -> Integration | None:
        """By UUID, appMarketId or 24-hex connectorId."""
        found = await self._stored_integration(any_id)
        return read_integration(found) if found else None

    async def integrations(self, cursor: str | None = None, limit: int = 50) -> IntegrationPage:
        """One page, oldest first. ``InvalidRequest`` for a cursor that we did not give."""
        position = None if cursor is None else self._read_cursor(cursor)
        ids = await (self._all_ids if self._vendor_id is None else self._vendor_ids)(position, limit)
        found = (await self.fetch(integrations=ids[:limit])).integrations
        items = [found[one] for one in ids[:limit] if one in found]
        more = len(ids) > limit and items
        return IntegrationPage(items, self._cursor_behind(items[-1]) if more else None)

    async def ids_of_vendor(self, vendor_id: str) -> list[str]:
        """Every integration of the vendor, oldest first."""
        members = await self._vendor_members(vendor_id, b"", None)
        return [_member_id(one) for one in members]

    async def revision(self, integration_id: str, number: int) -> Revision | None:
        """The revision of that number; 0 is WORKING."""
        if number == WORKING:
            integration = await self.integration(integration_id)
            return integration.working if integration else None
        return (await self.fetch(revisions=[(integration_id, number)])).revisions.get((integration_id, number))

    async def revisions(self, any_id: str, last: int | None = None) -> list[Revision]:
        """Every published revision, or the ``last`` newest, oldest first."""
        integration = await self.integration(any_id)
        if integration is None:
            return []
        newest = integration.published_revision or 0
        oldest = 1 if last is None else max(1, newest - last + 1)
        wanted = [(integration.id, number) for number in range(oldest, newest + 1)]
        found = (await self.fetch(revisions=wanted)).revisions
        return [found[one] for one in wanted if one in found]

    async def product(self, product_id: str) -> Product | None:
        return (await self.fetch(products=[product_id])).products.get(product_id)

    async def integration_of_inbound(self, client_id: str) -> Integration | None:
        """The integration whose product host authenticates with ``client_id``."""
        owner = await self._indexed(keys.DEF_INBOUND, client_id)
        return await self.integration(owner) if owner else None

    async def fetch(
        self,
        integrations: Iterable[str] = (),
        revisions: Iterable[RevisionId] = (),
        products: Iterable[str] = (),
    ) -> Loaded:
        """Any number of definitions in one round trip, by their own ids. Revision 0 is not stored apart.

        A record that cannot be read is left out and logged, so that it spoils no other.
        """
        lanes, numbers, names = list(integrations), list(revisions), list(products)
        wanted = [keys.definition(lane) for lane in lanes]
        wanted += [keys.revision(lane, number) for lane, number in numbers]
        wanted += [keys.product(name) for name in names]
        found = iter(await self._records(wanted))
        broken: set[str] = set()
        loaded = Loaded(
            _readable(lanes, found, read_integration, broken.add),
            _readable(numbers, found, read_revision, lambda number: broken.add(number[0])),
            _readable(names, found, read_product),
            frozenset(broken),
        )
        return loaded if self._vendor_id is None else await self._within_reach(loaded)

    async def _records(self, wanted: list[str]) -> list[bytes | None]:
        """In one round trip, or counted, a few at a time."""
        at_once = len(wanted) if self._spend is None else COUNTED_AT_ONCE
        found: list[bytes | None] = []
        for first in range(0, len(wanted), max(1, at_once)):
            found += await self._ask(self._redis.mget(wanted[first : first + at_once]))
            await self._count(found[first:])
        return found

    async def _count(self, records: list[bytes | None]) -> None:
        if self._spend is not None:
            await self._spend(sum(max(RECORD_BYTES, len(one)) for one in records if one is not None))

    async def _within_reach(self, loaded: Loaded) -> Loaded:
        """The vendor's part of it. A product belongs to the vendor of the integration that it is linked to."""
        linked = {one.integration_id for one in loaded.products.values() if one.integration_id}
        owners = sorted({lane for lane, _ in loaded.revisions} | linked)
        records = await self._ask(self._redis.mget([keys.definition(one) for one in owners])) if owners else []
        owned = _readable(owners, iter(records), read_integration) | loaded.integrations
        vendors = {lane: integration.vendor_id for lane, integration in owned.items()}
        mine = {lane for lane, vendor_id in vendors.items() if vendor_id == self._vendor_id}
        products = {
            name: one
            for name, one in loaded.products.items()
            if vendors.get(one.integration_id or "", one.vendor_id) == self._vendor_id
        }
        return Loaded(
            {lane: one for lane, one in loaded.integrations.items() if lane in mine},
            {number: one for number, one in loaded.revisions.items() if number[0] in mine},
            products,
        )

    async def _stored_integration(self, any_id: str) -> bytes | None:
        own_id = await self._own_id(any_id)
        record = await self._ask(self._redis.get(keys.definition(own_id))) if own_id else None
        await self._count([record])
        if record is None or self._vendor_id is None:
            return record
        return record if read_integration(record).vendor_id == self._vendor_id else None

    async def _ask(self, answer: Awaitable[T]) -> T:
        with guarded():
            return await answer

    async def _own_id(self, any_id: str) -> str | None:
        """The UUID that ``any_id`` stands for; whether it exists is not looked at for a UUID."""
        name = any_id.strip().lower()
        if len(name) == _UUID_LENGTH:
            return name
        return await self._indexed(keys.DEF_ALIASES, name)

    async def _indexed(self, index: str, name: str) -> str | None:
        owner: bytes | None = await self._ask(cast("Awaitable[bytes | None]", self._redis.hget(index, name)))
        return owner.decode() if owner else None

    async def _all_ids(self, position: Position | None, limit: int) -> list[str]:
        start = 0 if position is None else await self._rank_behind(position)
        found = await self._ask(self._redis.zrange(keys.DEF_INTEGRATIONS, start, start + limit))
        return [one.decode() for one in found]

    async def _rank_behind(self, position: Position) -> int:
        """Rank that follows an integration, even if that one was deleted since."""
        created_ms, integration_id = position
        rank = await self._ask(self._redis.zrank(keys.DEF_INTEGRATIONS, integration_id))
        if rank is not None:
            return int(rank) + 1
        return int(await self._ask(self._redis.zcount(keys.DEF_INTEGRATIONS, "-inf", created_ms)))

    async def _vendor_ids(self, position: Position | None, limit: int) -> list[str]:
        behind = b"" if position is None else f"{position[0]:015d}\n{position[1]}".encode()
        return [_member_id(one) for one in await self._vendor_members(self._vendor_id or "", behind, limit + 1)]

    async def _vendor_members(self, vendor_id: str, behind: bytes, limit: int | None) -> list[bytes]:
        """Of ``keys.DEF_VENDORS``, those of one vendor behind a position."""
        lower, upper = b"(" + vendor_id.encode() + b"\n" + behind, b"(" + vendor_id.encode() + b"\x0b"
        bounds = {} if limit is None else {"start": 0, "num": limit}
        return list(await self._ask(self._redis.zrangebylex(keys.DEF_VENDORS, lower, upper, **bounds)))

    def _cursor_behind(self, last: Integration) -> str:
        seal = self._seal()
        return f"{last.created_ms}:{last.id}" + (f":{seal}" if seal else "")

    def _read_cursor(self, cursor: str) -> Position:
        parts = _CURSOR.fullmatch(cursor)
        if parts is None or (parts[3] or "") != self._seal():
            raise InvalidRequest.of("invalid_cursor", "Pass a cursor from the page before, unchanged.", "cursor")
        return int(parts[1]), parts[2]

    def _seal(self) -> str:
        """Ties a cursor to the vendor whose integrations are listed."""
        if self._vendor_id is None:
            return ""
        return hashlib.blake2b(self._vendor_id.encode(), digest_size=4).hexdigest()


def _member_id(member: bytes) -> str:
    return member.rpartition(b"\n")[2].decode()


def _readable(
    wanted: list[K],
    found: Iterator[bytes | None],
    read: Callable[[bytes], V],
    report: Callable[[K], object] | None = None,
) -> dict[K, V]:
    """The next of ``found``, one for each of ``wanted``; one that cannot be read is logged and reported."""
    readable: dict[K, V] = {}
    for key in wanted:
        stored = next(found)
        if stored:
            try:
                readable[key] = read(stored)
            except BrokenDefinition as error:
                log.error("definition cannot be read", definition=key, error=str(error))
                if report is not None:
                    report(key)
    return readable
