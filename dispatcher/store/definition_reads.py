"""Reading integration definitions, their published revisions and products. Never writes."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar, cast

import structlog
from redis.asyncio import Redis

from dispatcher.errors import InvalidRequest
from dispatcher.model.integration import WORKING, Integration, Product, Revision
from dispatcher.store import keys
from dispatcher.store.connection import guarded
from dispatcher.store.definition_records import BrokenDefinition, read_integration, read_product, read_revision

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
RevisionId = tuple[str, int]
"""Integration id and number."""

log = structlog.get_logger("dispatcher.store")

_CURSOR = re.compile(r"(\d{1,15}):([0-9a-f-]{36})")
_UUID_LENGTH = 36


@dataclass(frozen=True, slots=True)
class IntegrationPage:
    """Oldest first. ``next_cursor`` None = there is no more."""

    items: list[Integration]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one read found; what does not exist is left out."""

    integrations: dict[str, Integration]
    revisions: dict[RevisionId, Revision]
    products: dict[str, Product]


class DefinitionReads:
    """Typed reads of everything under the ``{def}`` hash tag."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def integration(self, any_id: str) -> Integration | None:
        """By UUID, appMarketId or 24-hex connectorId."""
        found = await self._stored_integration(any_id)
        return read_integration(found) if found else None

    async def integrations(self, cursor: str | None = None, limit: int = 50) -> IntegrationPage:
        """One page, oldest first. ``InvalidRequest`` for a cursor that we did not give."""
        start = 0 if cursor is None else await self._position_after(cursor)
        raw_ids = await self._ask(self._redis.zrange(keys.DEF_INTEGRATIONS, start, start + limit))
        ids = [raw.decode() for raw in raw_ids[:limit]]
        found = (await self.fetch(integrations=ids)).integrations
        items = [found[one] for one in ids if one in found]
        more = len(raw_ids) > limit and items
        return IntegrationPage(items, f"{items[-1].created_ms}:{items[-1].id}" if more else None)

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
        found = iter(await self._ask(self._redis.mget(wanted)) if wanted else ())
        return Loaded(
            _readable(lanes, found, read_integration),
            _readable(numbers, found, read_revision),
            _readable(names, found, read_product),
        )

    async def _stored_integration(self, any_id: str) -> bytes | None:
        own_id = await self._own_id(any_id)
        return await self._ask(self._redis.get(keys.definition(own_id))) if own_id else None

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

    async def _position_after(self, cursor: str) -> int:
        """Rank that follows the cursor's integration, even if that one was deleted since."""
        parts = _CURSOR.fullmatch(cursor)
        if parts is None:
            raise InvalidRequest.of("invalid_cursor", "Pass a cursor from the page before, unchanged.", "cursor")
        rank = await self._ask(self._redis.zrank(keys.DEF_INTEGRATIONS, parts[2]))
        if rank is not None:
            return int(rank) + 1
        return int(await self._ask(self._redis.zcount(keys.DEF_INTEGRATIONS, "-inf", parts[1])))


def _readable(wanted: list[K], found: Iterator[bytes | None], read: Callable[[bytes], V]) -> dict[K, V]:
    """The next of ``found``, one for each of ``wanted``."""
    readable: dict[K, V] = {}
    for key in wanted:
        stored = next(found)
        if stored:
            try:
                readable[key] = read(stored)
            except BrokenDefinition as error:
                log.error("definition cannot be read", definition=key, error=str(error))
    return readable
