"""Connector templates: read, made, changed and deleted. Never decides who may, and never opens a client secret."""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.errors import Conflict, NotFound
from dispatcher.model.connector import ConnectorTemplate
from dispatcher.model.precondition import Precondition
from dispatcher.store.documents.swap import Operation
from dispatcher.store.installations.writing.editing import Place, Transaction, modified, stored_at, transacted
from dispatcher.store.installations.writing.numbers import next_number
from dispatcher.store.installations.writing.scoped import ScopedStore
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded

Ids = list[int]


def template_place(template_id: int) -> Place[ConnectorTemplate]:
    kind = "connectorTemplate"
    return Place(ConnectorTemplate, keys.template(template_id), kind=kind, id=str(template_id))


def name_place(name: str) -> Place[Ids]:
    """All templates of that name."""
    return Place(Ids, keys.TEMPLATE_NAMES, name)


class TemplateStore(ScopedStore):
    """Templates; another vendor's reads as absent. With ``noting``, changes are in the audit log as well."""

    async def find(self, template_id: int) -> ConnectorTemplate | None:
        place = template_place(template_id)
        stored = await stored_at(self._redis, place)
        found = place.read(stored) if stored else None
        return found if found and self._holds(found) else None

    async def get(self, template_id: int) -> ConnectorTemplate:
        """The template, or ``NotFound``."""
        found = await self.find(template_id)
        if found is None:
            raise _no_such_template(template_id)
        return found

    async def all(self) -> list[ConnectorTemplate]:
        """Every template within reach, lowest id first."""
        with guarded():
            ids = [int(one) for one in await self._redis.zrange(keys.TEMPLATES, 0, -1)]
        return await self._loaded(ids)

    async def named(self, name: str) -> list[ConnectorTemplate]:
        """All versions of that name within reach, of whichever vendors."""
        place = name_place(name)
        stored = await stored_at(self._redis, place)
        return await self._loaded(place.read(stored) if stored else [])

    async def next_id(self) -> int:
        return await next_number(self._redis, "template")

    async def create(self, template: ConnectorTemplate) -> ConnectorTemplate:
        """``Conflict`` (already_exists) when its vendor has that version of that name."""

        async def work(transaction: Transaction) -> ConnectorTemplate:
            await self._require_free(transaction, template)
            transaction.write(template_place(template.id), template)
            await _enter(transaction, template)
            transaction.operate(Operation("ZADD", keys.TEMPLATES, (template.id, template.id)))
            return template

        return await transacted(self._redis, work, f"Template {template.name}", self._noting)

    async def edit(
        self,
        template_id: int,
        change: Callable[[ConnectorTemplate], ConnectorTemplate],
        expected: Precondition | None = None,
    ) -> ConnectorTemplate:
        """Apply ``change`` to the newest state. ``NotFound``; ``Conflict`` when it is not the expected one any more."""

        async def work(transaction: Transaction) -> ConnectorTemplate:
            before = await self._needed(transaction, template_id)
            if expected is not None and not expected(before.modified_ms):
                raise modified(f"Template {template_id}")
            after = change(before)
            if (after.name, after.version) != (before.name, before.version):
                await self._require_free(transaction, after)
            await _leave(transaction, before)
            await _enter(transaction, after)
            transaction.write(template_place(template_id), after)
            transaction.announce(f"template:{template_id}")
            return after

        return await transacted(self._redis, work, f"Template {template_id}", self._noting)

    async def delete(self, template_id: int, expected: Precondition | None = None) -> None:
        """Connectors that were made from it stay, as ones without a template.

        ``NotFound``; ``Conflict`` when it is not the expected one any more.
        """

        async def work(transaction: Transaction) -> None:
            before = await self._needed(transaction, template_id)
            if expected is not None and not expected(before.modified_ms):
                raise modified(f"Template {template_id}")
            await _leave(transaction, before)
            transaction.write(template_place(template_id), None)
            transaction.operate(Operation("ZREM", keys.TEMPLATES, (template_id,)))
            transaction.announce(f"template:{template_id}")

        await transacted(self._redis, work, f"Template {template_id}", self._noting)

    async def _loaded(self, ids: Ids) -> list[ConnectorTemplate]:
        with guarded():
            records = await self._redis.mget([keys.template(one) for one in ids]) if ids else []
        found = [template_place(0).read(record) for record in records if record]
        return [one for one in found if self._holds(one)]

    async def _needed(self, transaction: Transaction, template_id: int) -> ConnectorTemplate:
        found = await transaction.read(template_place(template_id))
        if found is None or not self._holds(found):
            raise _no_such_template(template_id)
        return found

    async def _require_free(self, transaction: Transaction, template: ConnectorTemplate) -> None:
        for other_id in await transaction.read(name_place(template.name)) or []:
            other = await transaction.read(template_place(other_id))
            if other and (other.version, other.vendor_id) == (template.version, template.vendor_id):
                text = f"There is version {template.version} of that name: change it, or give another version."
                raise Conflict.of("already_exists", text, "version")

    def _holds(self, template: ConnectorTemplate) -> bool:
        return self._reach.vendor_id in (None, template.vendor_id)


async def _enter(transaction: Transaction, template: ConnectorTemplate) -> None:
    place = name_place(template.name)
    transaction.write(place, [*(await transaction.read(place) or []), template.id])


async def _leave(transaction: Transaction, template: ConnectorTemplate) -> None:
    place = name_place(template.name)
    others = [one for one in await transaction.read(place) or [] if one != template.id]
    transaction.write(place, others or None)


def _no_such_template(template_id: int) -> NotFound:
    return NotFound.of("not_found", f"There is no connector template {template_id}.", "id")
