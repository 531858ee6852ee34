"""One change of documents, of their indexes, and of the audit log: all of it, or nothing.

A document is a JSON record under a key of its own, or in a field of a hash. Whoever changes one reads it, makes the new
one, and hands both to ``swap``, which writes only if every document still is, to the byte, what was read. False says
that somebody was faster: read again, and decide again. Indexes, announcements and keys that go with a document are
``Operation``s of the same step. All keys share one hash tag, that of the audit log (``{def}``).

An account that is entered under a second name, as it looks from another room::

    before = await redis.get(name)
    written = await swap(
        redis,
        [document := Document(name, before, after)],
        [Operation("HSET", keys.SOME_INDEX, ("alias", "id")), publish(keys.SOME_CHANNEL, "id")],
        noting=noting,
        entries=[Noted("account", "id", document, hidden=frozenset({"signInSecret"}))],
    )

Never decides what to write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import orjson
from redis.asyncio import Redis

from dispatcher.model.audit_entry import DONE, Action
from dispatcher.policy.differences import differences
from dispatcher.store.audit_log.log import UNNOTED, Noting
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.scripts import Argument, reply_of, script

_SWAP = script("documents/swap", *keys.AUDIT_KEYS)

Command = Literal["HSET", "HDEL", "ZADD", "ZREM", "SADD", "SREM", "SET", "DEL", "PEXPIRE", "PUBLISH"]


@dataclass(frozen=True, slots=True)
class Document:
    """One record as it was read (empty = absent) and as it becomes (empty = deleted)."""

    key: str
    before: bytes
    after: bytes
    field: str = ""
    """Of the hash at ``key``; empty = the key itself holds the record."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One more command of the same step, with its arguments in Redis's own order: ``("field", "value")`` of an HSET,
    ``("score", "member")`` of a ZADD, ``("value", "PX", "60000")`` of a SET that expires.
    """

    command: Command
    key: str
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Noted:
    """One entry of the audit log: an object, and the document whose difference tells what happened to it."""

    kind: str
    object_id: str
    document: Document
    hidden: frozenset[str] = frozenset()
    """Dotted paths of fields that are secrets: the entry says that they changed, and nothing of their values."""


def publish(channel: str, message: str) -> Operation:
    """An announcement to whoever listens, if and only if the change is made."""
    return Operation("PUBLISH", "", (channel, message))


async def swap(
    redis: Redis,
    documents: Sequence[Document],
    operations: Sequence[Operation] = (),
    *,
    noting: Noting | None = None,
    entries: Sequence[Noted] = (),
) -> bool:
    """Write all of it if every document still is what was read, else False.

    With ``noting``, ``entries`` are written to the audit log in the same step. ``StoreDamaged``: the log is; nothing
    was changed. ``ResponseError``: an index is not of the type that its operation needs; nothing was changed.
    """
    touched = [*(one.key for one in documents), *(one.key for one in operations if one.key)]
    names = list(dict.fromkeys(touched))
    arguments = _arguments(names, documents, operations)

    async def write(chain: Sequence[Argument]) -> int | bytes:
        reply: int | bytes = await reply_of(redis, _SWAP.call(names, *chain, *arguments))
        return reply

    if noting is None or not entries:
        return await write(UNNOTED) == 1
    return await noting.log.chained([_action(one, noting) for one in entries], write)


def _arguments(names: Sequence[str], documents: Sequence[Document], operations: Sequence[Operation]) -> list[Argument]:
    """As ``swap.lua`` reads them; the numbers of keys begin behind the script's own."""
    numbers = {name: number for number, name in enumerate(names, start=len(_SWAP.keys) + 1)}
    arguments: list[Argument] = [len(documents)]
    for document in documents:
        arguments += (numbers[document.key], document.field, document.before, document.after)
    for operation in operations:
        number = numbers[operation.key] if operation.key else 0
        arguments += (operation.command, number, len(operation.arguments), *operation.arguments)
    return arguments


def _action(noted: Noted, noting: Noting) -> Action:
    before, after = (orjson.loads(one) if one else {} for one in (noted.document.before, noted.document.after))
    old, new = differences(before, after, noted.hidden)
    return Action(noting.author, noting.action, noted.kind, noted.object_id, noting.at_ms, old, new, DONE)
