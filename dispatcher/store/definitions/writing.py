"""Writes of this room: what is read for one is compared when it is written, and the change is announced.

Never decides a business rule.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Self

import orjson
from redis.asyncio import Redis

from dispatcher.errors import Conflict, NotFound, Problem
from dispatcher.model.integration import Integration
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.definitions.reads import DefinitionReads
from dispatcher.store.definitions.records import read_integration
from dispatcher.store.documents.swap import Document, Noted, Operation, publish, swap
from dispatcher.store.keys import definitions as definition_keys

TRIES = 32
"""Rounds of read, change and swap before giving up on a record that others keep changing."""

Listener = Callable[[str], None]


class DefinitionWrites(DefinitionReads):
    """Reads, and one way of writing. Whoever listens hears of each id that this process has tried to write."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._listeners: list[Listener] = []
        self._noting: Noting | None = None

    def noted(self, noting: Noting) -> Self:
        """The same store; whatever is changed through this view is written to the audit log in the same step."""
        view = copy.copy(self)
        view._noting = noting  # noqa: SLF001 - of its own kind
        return view

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each id that this process has tried to write; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def needed(self, any_id: str) -> Integration:
        """The integration, or ``NotFound``."""
        return read_integration(await self._needed_record(any_id))

    async def _needed_record(self, any_id: str) -> bytes:
        record = await self._stored_integration(any_id)
        if record is None:
            raise NotFound.of("not_found", f"There is no integration {any_id[:64]!r}.", "id")
        return record

    async def _swap(
        self,
        documents: Sequence[Document],
        operations: Sequence[Operation],
        changed: Sequence[str],
        dropped: Sequence[str] = (),
    ) -> bool:
        together = [
            *operations,
            *(Operation("DEL", key) for key in dropped),
            *(publish(definition_keys.DEFINITIONS_CHANNEL, message) for message in changed),
        ]
        entry = _noted(documents[0])
        try:
            return await swap(self._redis, documents, together, noting=self._noting, entries=[entry])
        finally:
            for message in changed:
                for listener in self._listeners:
                    listener(message)


def _noted(document: Document) -> Noted:
    """An entry about the first document, which the others only follow."""
    kind = "product" if document.key.startswith(definition_keys.product("")) else "integration"
    return Noted(kind, orjson.loads(document.after or document.before)["id"], document)


def modified(any_id: str) -> Conflict:
    return Conflict(
        [Problem("modified_meanwhile", f"{any_id[:64]} was changed by someone else: read it again, then repeat.", "id")]
    )
