"""The audit log: a stream of entries, each with the SHA-256 of the one before. Never changes or removes one by hand.

Its keys (``keys.AUDIT_KEYS``) share the slot of the definitions, so that a change and its entries are one script.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from redis.asyncio import Redis

from dispatcher.clock import DAY_MS
from dispatcher.errors import Conflict, StoreDamaged, StoreUnavailable
from dispatcher.model.audit_entry import Action, Author, Entry, Head
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.scripts import Argument, reply_of, script

DAMAGED_HEAD = (
    f"the head of the audit log ({keys.AUDIT_HEAD}) is damaged, and nothing can be changed until it is set right: "
    "run `dispatcher audit-log --verify`, which says what to set it to"
)
DAMAGED_STREAM = (
    f"the audit log ({keys.AUDIT_STREAM}) is not a stream: no program of ours wrote what is there; restore the log "
    f"from a backup, or begin a new one with `redis-cli RENAME '{keys.AUDIT_STREAM}' '{keys.AUDIT_STREAM}:damaged'`"
)

_DAMAGES: dict[int | bytes, str] = {b"no head": DAMAGED_HEAD, b"no stream": DAMAGED_STREAM}
"""By what ``_audit.lua`` answers."""

TURN_S = 5.0
"""Time that a change waits for those before it, which hang when Redis does."""
_TRIES = 64
"""Rounds of chaining before giving up on a log that others keep writing to."""

Write = Callable[[Sequence[Argument]], Awaitable[int | bytes]]
"""Runs a script that begins with ``_audit.lua``, given the arguments of that; its reply."""

log = structlog.get_logger("dispatcher.audit")

_APPEND = script("audit_log/append", *keys.AUDIT_KEYS)
UNNOTED: tuple[Argument, ...] = ("", "", "", 0, 0)
"""The arguments of a change that is not noted."""


@dataclass(slots=True)
class AuditLog:
    """One per process. Entries that this process writes are chained one after the other."""

    redis: Redis
    kept_ms: int = 365 * DAY_MS
    kept_entries: int = 100_000
    logged: bool = False
    """True: each entry is in the process's own log as well."""
    _head: Head = field(default_factory=Head)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def append(self, action: Action) -> None:
        """Write the entry of a change that follows. ``StoreUnavailable`` = do not make that change."""

        async def write(chain: Sequence[Argument]) -> int | bytes:
            reply: int | bytes = await reply_of(self.redis, _APPEND.call((), *chain))
            return reply

        await self.chained([action], write)

    async def chained(self, actions: Sequence[Action], write: Write) -> bool:
        """Change and entries in the one step that ``write`` is. False = its condition does not hold; nothing is done.

        ``StoreDamaged`` = there is no telling which entry it would follow; nothing is done.
        """
        try:
            async with asyncio.timeout(TURN_S):
                await self._turn.acquire()
        except TimeoutError:
            raise StoreUnavailable("the audit log cannot be written at this moment; nothing was changed") from None
        try:
            return await self._written(actions, write)
        finally:
            self._turn.release()

    async def _written(self, actions: Sequence[Action], write: Write) -> bool:
        for _ in range(_TRIES):
            entries = self._following(actions)
            reply = await write(self._arguments(entries))
            if reply in _DAMAGES:
                raise StoreDamaged(_DAMAGES[reply])
            if isinstance(reply, bytes):
                self._head = read_head(reply)
                continue
            if reply == 1:
                self._head = entries[-1].head
                if self.logged:
                    _log_each(actions, entries)
            return reply == 1
        raise Conflict.of("modified_meanwhile", "Too much is being changed at this moment: repeat it in a second.")

    def _following(self, actions: Sequence[Action]) -> list[Entry]:
        entries: list[Entry] = []
        head = self._head
        for action in actions:
            entries.append(Entry.following(head, action))
            head = entries[-1].head
        return entries

    def _arguments(self, entries: Sequence[Entry]) -> tuple[Argument, ...]:
        """As ``_audit.lua`` reads them; JSON has no line ends."""
        text = b"\n".join(entry.text for entry in entries)
        return self._head.text(), entries[-1].head.text(), text, self.kept_ms, self.kept_entries


def read_head(stored: bytes) -> Head:
    """Raises ``StoreDamaged`` for what no program of ours has written."""
    try:
        return Head.of(stored.decode())
    except ValueError:
        raise StoreDamaged(DAMAGED_HEAD) from None


@dataclass(frozen=True, slots=True)
class Noting:
    """Author, name and time under which the changes to come are noted."""

    log: AuditLog
    author: Author
    action: str
    at_ms: int


def _log_each(actions: Sequence[Action], entries: Sequence[Entry]) -> None:
    """To the process's log too: whoever keeps that elsewhere can tell if the whole chain was written anew."""
    for action, entry in zip(actions, entries, strict=True):
        n, digest = entry.head.n, entry.head.hash
        log.info("audit", n=n, hash=digest, action=action.name, object=action.object_id, client=action.author.client_id)
