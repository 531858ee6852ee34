"""Saved views of the console: a list for each client or person, and one for each reach in which they are shared.

Both lists of whoever changes something are written in one step, so that a view that is shared is in one of them.
Never decides who may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson
from redis.asyncio import Redis

from dispatcher.errors import Conflict
from dispatcher.model.saved_view import SavedView, SavedViews
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.documents.swap import Document, Noted, swap
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded

_TRIES = 32

Change = Callable[[SavedViews], SavedViews]


@dataclass(frozen=True, slots=True)
class Lists:
    """The two lists that somebody sees: the client's or person's own, and the one of their reach."""

    owner: str
    reach: str

    @property
    def keys(self) -> tuple[str, str]:
        return keys.saved_views(f"own {self.owner}"), keys.saved_views(f"shared {self.reach}")


class SavedViewStore:
    """With ``noting``, changes are in the audit log as well."""

    def __init__(self, redis: Redis, noting: Noting | None = None) -> None:
        self._redis = redis
        self._noting = noting

    def noted(self, noting: Noting) -> SavedViewStore:
        """The same store; each change is written to the audit log in the same step."""
        return SavedViewStore(self._redis, noting)

    async def all(self, lists: Lists) -> SavedViews:
        return _read(await self._stored(lists))

    async def edit(self, lists: Lists, view_id: str, change: Change) -> SavedViews:
        """Apply ``change``, which touches the one view, to the newest state. Raises what ``change`` raises."""
        for _ in range(_TRIES):
            stored = await self._stored(lists)
            before = _read(stored)
            after = change(before)
            written = (_write(after.own), _write(after.shared))
            documents = [Document(*one) for one in zip(lists.keys, stored, written, strict=True)]
            told = Document("", _told(before, view_id), _told(after, view_id))
            if await swap(self._redis, documents, noting=self._noting, entries=[Noted("consoleView", view_id, told)]):
                return after
        raise Conflict.of("modified_meanwhile", "Views were changed by others meanwhile: repeat it.")

    async def _stored(self, lists: Lists) -> tuple[bytes, bytes]:
        with guarded():
            own, shared = await self._redis.mget(lists.keys)
        return bytes(own or b""), bytes(shared or b"")


_NAMES = frozenset(field.name for field in fields(SavedView))


def _read(stored: tuple[bytes, bytes]) -> SavedViews:
    own, shared = (tuple(map(_view, orjson.loads(one or b"[]"))) for one in stored)
    return SavedViews(own, shared)


def _view(record: dict[str, Any]) -> SavedView:
    """Without what a newer version may have added."""
    conditions = tuple((name, text) for name, text in record["conditions"])
    return SavedView(**{name: value for name, value in record.items() if name in _NAMES} | {"conditions": conditions})


def _write(views: Iterable[SavedView]) -> bytes:
    records = [asdict(one) for one in views]
    return orjson.dumps(records) if records else b""


def _told(views: SavedViews, view_id: str) -> bytes:
    """One view as the audit log has it; empty = there is none."""
    view = views.find(view_id)
    if view is None:
        return b""
    shown = {"name": view.name, "conditions": dict(view.conditions), "shared": views.is_shared(view_id)}
    return orjson.dumps(shown)
