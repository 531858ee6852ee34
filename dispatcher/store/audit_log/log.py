"""The audit log: a stream of entries, each with the SHA-256 of the one before. Never changes or removes one by hand.

| key                  | type   | holds                                                   | until                    |
|----------------------|--------|---------------------------------------------------------|--------------------------|
| ``{def}:audit``      | stream | ``e`` → one entry as JSON, with its predecessor's hash; | too old, or one too many |
|                      |        | ``p`` → the predecessor's place in the stream           |                          |
| ``{def}:audit:head`` | string | ``n:hash`` of the newest entry                          | for ever                 |

They share the slot of the definitions, so that a change and its entry are one script.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, cast

import structlog
from redis.asyncio import Redis

from dispatcher.clock import DAY_MS
from dispatcher.errors import Conflict, StoreDamaged, StoreUnavailable
from dispatcher.model.audit_entry import Author, Deed, Entry, Head
from dispatcher.store.redis.connection import guarded

STREAM = "{def}:audit"
HEAD = "{def}:audit:head"
KEYS = (HEAD, STREAM)

DAMAGED_HEAD = (
    f"the head of the audit log ({HEAD}) is damaged, and nothing can be changed until it is set right: "
    "run `dispatcher audit-log --verify`, which says what to set it to"
)
DAMAGED_STREAM = (
    f"the audit log ({STREAM}) is not a stream: no program of ours wrote what is there; restore the log from a backup, "
    f"or begin a new one with `redis-cli RENAME '{STREAM}' '{STREAM}:damaged'`"
)

_DAMAGES: dict[int | bytes, str] = {b"no head": DAMAGED_HEAD, b"no stream": DAMAGED_STREAM}
"""By what ``_audit.lua`` answers."""

TURN_S = 5.0
"""How long a change waits for those before it, which hang when Redis does."""
_TRIES = 64
"""Rounds of chaining before giving up on a log that others keep writing to."""

Write = Callable[[Sequence[Any]], Awaitable[int | bytes]]
"""Runs a script that begins with ``_audit.lua``, given the arguments of that; its reply."""

log = structlog.get_logger("dispatcher.audit")


def with_prelude(name: str, flags: str = "") -> str:
    """The text of the script of that name behind ``_audit.lua``."""
    folder = files("dispatcher.store").joinpath("lua")
    return flags + folder.joinpath("_audit.lua").read_text("utf-8") + folder.joinpath(f"{name}.lua").read_text("utf-8")


_APPEND = with_prelude("audit_append", "#!lua flags=allow-oom\n")
"""Runs even when Redis is full: pausing a lane must be possible then."""
UNNOTED: tuple[str | bytes, ...] = ("", "", "", "0", "0")
"""The arguments of a change that is not noted."""


@dataclass(slots=True)
class AuditLog:
    """One per process. Entries that this process writes are chained one after the other."""

    redis: Redis
    kept_ms: int = 365 * DAY_MS
    kept_entries: int = 100_000
    logged: bool = False
    """Whether the process's own log tells of each entry as well."""
    _head: Head = field(default_factory=Head)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def append(self, deed: Deed) -> None:
        """Write the entry of a change that follows. ``StoreUnavailable`` = do not make that change."""

        async def write(arguments: Sequence[Any]) -> int | bytes:
            return await cast("Awaitable[int | bytes]", self.redis.eval(_APPEND, len(KEYS), *KEYS, *arguments))

        await self.chained(deed, write)

    async def chained(self, deed: Deed, write: Write) -> bool:
        """Change and entry in the one step that ``write`` is. False = its condition does not hold; nothing is done.

        ``StoreDamaged`` = there is no telling which entry it would follow; nothing is done.
        """
        try:
            await asyncio.wait_for(self._turn.acquire(), TURN_S)
        except TimeoutError:
            raise StoreUnavailable("the audit log cannot be written at this moment; nothing was changed") from None
        try:
            return await self._written(deed, write)
        finally:
            self._turn.release()

    async def _written(self, deed: Deed, write: Write) -> bool:
        for _ in range(_TRIES):
            entry = Entry.following(self._head, deed)
            with guarded():
                reply = await write(self._arguments(entry))
            if reply in _DAMAGES:
                raise StoreDamaged(_DAMAGES[reply])
            if isinstance(reply, bytes):
                self._head = read_head(reply)
                continue
            if reply == 1:
                self._head = entry.head
                if self.logged:
                    _tell(deed, entry)
            return reply == 1
        raise Conflict.of("modified_meanwhile", "Too much is being changed at this moment: repeat it in a second.")

    def _arguments(self, entry: Entry) -> tuple[str | bytes, ...]:
        return self._head.text(), entry.head.text(), entry.text, str(self.kept_ms), str(self.kept_entries)


def read_head(stored: bytes) -> Head:
    """Raises ``StoreDamaged`` for what no program of ours has written."""
    try:
        return Head.of(stored.decode())
    except ValueError:
        raise StoreDamaged(DAMAGED_HEAD) from None


@dataclass(frozen=True, slots=True)
class Noting:
    """By whom, under which name and when the changes to come are noted."""

    log: AuditLog
    author: Author
    action: str
    at_ms: int


def _tell(deed: Deed, entry: Entry) -> None:
    """To the process's log too: whoever keeps that elsewhere can tell if the whole chain was written anew."""
    head = entry.head
    log.info("audit", n=head.n, hash=head.hash, action=deed.action, object=deed.object_id, client=deed.author.client_id)
