"""Installations: read one by one or by index, and written with all that a transition makes happen.

Record, indexes, outbox and audit entry change in one step. Never decides what a transition is, nor who may make one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from redis.asyncio import Redis

from dispatcher.errors import Unprocessable
from dispatcher.model.effect import Effect
from dispatcher.model.installation import Installation
from dispatcher.policy.installing.upgrades import is_free
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.documents.swap import Document, Noted, Operation, publish, swap
from dispatcher.store.installations.installed import outbox
from dispatcher.store.installations.installed.packing import FindRevision, Packing
from dispatcher.store.installations.installed.remains import after_removal
from dispatcher.store.installations.writing.records import read, write
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import installations as installation_keys
from dispatcher.store.redis.connection import guarded

TRIES = 32
"""Rounds of read, decide and write before giving up on an installation that others keep changing."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An installation as it was read, with the bytes that a write compares."""

    installation: Installation
    record: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """One installation's part of a write. ``before`` None = it is new, ``after`` None = it is gone."""

    before: Stored | None
    after: Installation | None
    effects: tuple[Effect, ...] = ()
    erase: bool = False
    """Of one that goes: nothing is kept for another time."""

    @property
    def id(self) -> str:
        known = self.before.installation if self.before else self.after
        assert known is not None
        return known.id

    @property
    def number(self) -> int:
        """Of the transition that makes the effects."""
        return (self.before.installation.transitions if self.before else 0) + 1


MAX_LOOKED_AT = 100
"""Installations of one account that one change has workers look at."""


def message(installation_id: str) -> str:
    """Announcement of a changed installation."""
    return f"installation:{installation_id}"


class InstallationStore:
    """Every installation there is; whoever asks has decided which of them exist for whom."""

    def __init__(self, redis: Redis, find: FindRevision) -> None:
        """``find`` is asked for published revisions, whose steps records do not repeat."""
        self._redis = redis
        self._packing = Packing(find)

    async def find(self, installation_id: str) -> Stored | None:
        with guarded():
            record = await self._redis.get(installation_keys.installation(installation_id))
        return await self._stored(record) if record else None

    async def several(self, installation_ids: Sequence[str]) -> list[Stored]:
        """Those that exist, in the order asked for."""
        if not installation_ids:
            return []
        with guarded():
            records = await self._redis.mget([installation_keys.installation(one) for one in installation_ids])
        return [await self._stored(one) for one in records if one]

    async def ids(self, indexes: Sequence[str], after: str, limit: int) -> list[str]:
        """Up to ``limit`` ids behind ``after`` ('' = from the start), oldest first, of several indexes together."""
        pipeline: Any = self._redis.pipeline(transaction=False)
        for index in indexes:
            pipeline.zrangebylex(index, f"({after}" if after else "-", "+", start=0, num=limit)
        with guarded():
            found = await pipeline.execute() if indexes else []
        return sorted({one.decode() for members in found for one in members})[:limit]

    async def exclusive(self, account_id: str, product_id: str) -> str | None:
        """The id of the one that a page has made of that product."""
        with guarded():
            found = await cast(
                "Awaitable[bytes | None]", self._redis.hget(installation_keys.EXCLUSIVE, f"{account_id}\n{product_id}")
            )
        return found.decode() if found else None

    async def looked_at_again(self, account_id: str, now_ms: int) -> list[Operation]:
        """Entries of the account's, for a change that may complete their steps."""
        ids = await self.ids([installation_keys.installations_of_account(account_id)], "", MAX_LOOKED_AT)
        return [Operation("ZADD", installation_keys.FREED, (now_ms, one)) for one in ids]

    async def drafts(self, before_ms: int, limit: int) -> list[str]:
        """Ids of those with open steps that have not changed since then, oldest first."""
        with guarded():
            found = await self._redis.zrangebyscore(installation_keys.DRAFTS, "-inf", before_ms, start=0, num=limit)
        return [one.decode() for one in found]

    async def count(self, index: str) -> int:
        with guarded():
            return int(await self._redis.zcard(index))

    async def write(self, changes: Sequence[Written], now_ms: int, noting: Noting | None = None) -> bool:
        """All of it, if every installation still is what was read; else False, and nothing.

        ``modified_ms`` of what is written always moves on, so that no two states share one.
        """
        documents, operations, entries = [], [], []
        for change in changes:
            document = await self._document(change, now_ms)
            documents += [document, *_exclusive(change), *await self._definition(change)]
            operations += _operations(change, now_ms)
            entries.append(Noted("installation", change.id, document, frozenset({"settings"})))
        return await swap(self._redis, documents, operations, noting=noting, entries=entries)

    async def _definition(self, change: Written) -> list[Document]:
        """The integration of a new one, which must not go meanwhile. ``Unprocessable``: it is gone."""
        lane = change.after.integration_id if change.after and change.before is None else None
        if lane is None:
            return []
        with guarded():
            record = bytes(await self._redis.get(definition_keys.definition(lane)) or b"")
        if not record:
            text = "This integration was deleted, so it cannot be installed."
            raise Unprocessable.of("invalid_reference", text, "_connectorId")
        return [Document(definition_keys.definition(lane), record, record)]

    async def _stored(self, record: bytes) -> Stored:
        return Stored(await self._packing.unpacked(read(Installation, record)), bytes(record))

    async def _document(self, change: Written, now_ms: int) -> Document:
        before = change.before.record if change.before else b""
        after = moved_on(change, now_ms)
        record = write(await self._packing.packed(after), before) if after else b""
        return Document(installation_keys.installation(change.id), before, record)


def moved_on(change: Written, now_ms: int) -> Installation | None:
    """The installation as it is written, with the time of this change."""
    if change.after is None or change.before is None:
        return change.after
    before_ms = change.before.installation.modified_ms
    return replace(change.after, modified_ms=max(now_ms, before_ms + 1))


def _exclusive(change: Written) -> list[Document]:
    """Its place as the one of its account and product, taken with the record and left with it."""
    known = change.before.installation if change.before else change.after
    if known is None or not known.exclusive or (change.before is not None and change.after is not None):
        return []
    field, mine = f"{known.account_id}\n{known.product_id}", known.id.encode()
    taken = change.before is None
    return [Document(installation_keys.EXCLUSIVE, b"" if taken else mine, mine if taken else b"", field)]


def _update(change: Written) -> list[Operation]:
    """Its entry among the updates in progress."""
    before_ms = change.before.installation.locked_ms if change.before else None
    after_ms = change.after.locked_ms if change.after else None
    if before_ms == after_ms:
        return []
    if after_ms is None:
        return [Operation("ZREM", installation_keys.UPDATES, (change.id,))]
    return [Operation("ZADD", installation_keys.UPDATES, (after_ms, change.id))]


def _draft(change: Written, now_ms: int) -> list[Operation]:
    """Its entry among those whose steps are open."""
    if (after := moved_on(change, now_ms)) is not None and after.draft:
        return [Operation("ZADD", installation_keys.DRAFTS, (after.modified_ms, change.id))]
    if change.before is not None and change.before.installation.draft:
        return [Operation("ZREM", installation_keys.DRAFTS, (change.id,))]
    return []


def _freed(change: Written, now_ms: int) -> list[Operation]:
    """Its entry among those that a newer revision may have passed over until now."""
    if change.before is None or change.after is None:
        return []
    if is_free(change.before.installation) or not is_free(change.after):
        return []
    return [Operation("ZADD", installation_keys.FREED, (now_ms, change.id))]


def _operations(change: Written, now_ms: int) -> list[Operation]:
    pending = change.after.pending_event_id if change.after else None
    waiting = Operation("ZADD", installation_keys.PENDING, (now_ms, change.id)) if pending else None
    operations = [
        waiting or Operation("ZREM", installation_keys.PENDING, (change.id,)),
        *_update(change),
        *_draft(change, now_ms),
    ]
    operations += _freed(change, now_ms)
    if change.before is None and change.after is not None:
        operations += [Operation("ZADD", index, (0, change.id)) for index in _indexes(change.after)]
        if change.after.integration_id is not None:
            operations.append(Operation("HSET", installation_keys.NEWEST, (change.after.integration_id, change.id)))
    elif change.before is not None and change.after is None:
        gone = change.before.installation
        operations += [Operation("ZREM", index, (change.id,)) for index in _indexes(gone)]
        operations += after_removal(gone, change.effects, now_ms, erase=change.erase)
    operations += outbox.written(change.id, change.number, change.effects, now_ms)
    return [*operations, publish(definition_keys.DEFINITIONS_CHANNEL, message(change.id))]


def _indexes(installation: Installation) -> list[str]:
    """By what never changes of it."""
    indexes = [installation_keys.INSTALLATIONS]
    if installation.known_account_id is not None:
        indexes.append(installation_keys.installations_of_account(installation.known_account_id))
    if installation.integration_id is not None:
        indexes.append(installation_keys.installations_of_integration(installation.integration_id))
    if installation.marketplace_id is not None:
        indexes.append(installation_keys.installations_of_marketplace(installation.marketplace_id))
    return indexes
