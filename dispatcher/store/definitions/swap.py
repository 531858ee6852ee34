"""One atomic change of definition documents and their indexes, announced to every cache.

Never decides what to write: ``definitions`` does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from dispatcher.model.audit_entry import DONE, Deed
from dispatcher.model.integration import Integration
from dispatcher.policy.differences import differences
from dispatcher.store import keys
from dispatcher.store.audit_log import log as audit_log
from dispatcher.store.audit_log.log import UNNOTED, Noting
from dispatcher.store.redis.connection import guarded

_SCRIPT = audit_log.with_prelude("def_swap")
_INDEX_KEYS = (*audit_log.KEYS, keys.DEF_ALIASES, keys.DEF_INBOUND, keys.DEF_INTEGRATIONS, keys.DEF_VENDORS)
_ALIASES, _INBOUND, _INTEGRATIONS, _VENDORS = "3", "4", "5", "6"

Operation = tuple[str, str, str, str]
"""Command, number of its key, two arguments; see ``def_swap.lua``."""


@dataclass(frozen=True, slots=True)
class Swap:
    """One document: what it was when read (empty = absent) and what it becomes (empty = deleted)."""

    key: str
    before: bytes
    after: bytes


async def swap(
    redis: Redis,
    swaps: Sequence[Swap],
    operations: Sequence[Operation],
    changed: Sequence[str],
    dropped: Sequence[str] = (),
    noting: Noting | None = None,
) -> bool:
    """Write all of it and delete the keys ``dropped`` if every document still is what was read, else False.

    With ``noting`` the entry in the audit log is written in the same step.
    """
    names = [*_INDEX_KEYS, *(one.key for one in swaps), *dropped]
    first_dropped = len(names) - len(dropped) + 1
    deletions = [("DEL", str(first_dropped + n), "", "") for n in range(len(dropped))]
    announced = [("PUBLISH", "0", keys.DEFINITIONS_CHANNEL, message) for message in changed]
    rest: list[Any] = [str(len(swaps))]
    for one in swaps:
        rest += [one.before, one.after]
    for operation in (*operations, *deletions, *announced):
        rest += operation

    async def write(noted: Sequence[Any]) -> int | bytes:
        return await cast("Awaitable[int | bytes]", redis.eval(_SCRIPT, len(names), *names, *noted, *rest))

    if noting is None:
        with guarded():
            return await write(UNNOTED) == 1
    return await noting.log.chained(_deed(swaps[0], noting), write)


def _deed(document: Swap, noting: Noting) -> Deed:
    """What happens to the first document, which the others only follow."""
    before, after = (orjson.loads(one) if one else {} for one in (document.before, document.after))
    old, new = differences(before, after)
    kind = "product" if document.key.startswith(keys.product("")) else "integration"
    return Deed(
        noting.author,
        action=noting.action,
        kind=kind,
        object_id=(after or before)["id"],
        at_ms=noting.at_ms,
        before=old,
        after=new,
        outcome=DONE,
    )


def created(integration: Integration) -> list[Operation]:
    """Index entries of a new integration."""
    return [
        *(("HSET", _ALIASES, alias, integration.id) for alias in _aliases(integration)),
        ("ZADD", _INTEGRATIONS, integration.id, str(integration.created_ms)),
        *changed_indexes(None, integration),
    ]


def deleted(integration: Integration) -> list[Operation]:
    """Takes every index entry of an integration away."""
    return [
        *(("HDEL", _ALIASES, alias, "") for alias in _aliases(integration)),
        ("ZREM", _INTEGRATIONS, integration.id, ""),
        *changed_indexes(integration, None),
    ]


def vendor_member(integration: Integration) -> str:
    """Its place among its vendor's integrations, oldest first; a vendor's id has no control characters."""
    return f"{integration.vendor_id}\n{integration.created_ms:015d}\n{integration.id}"


def changed_indexes(before: Integration | None, after: Integration | None) -> list[Operation]:
    """Keeps the indexes of inbound clients and of vendors in step with the record."""
    old = vendor_member(before) if before and before.vendor_id else None
    new = vendor_member(after) if after and after.vendor_id else None
    operations = _changed_inbound(before, after)
    if old and old != new:
        operations.append(("ZREM", _VENDORS, old, ""))
    if new and old != new:
        operations.append(("ZADD", _VENDORS, new, "0"))
    return operations


def _changed_inbound(before: Integration | None, after: Integration | None) -> list[Operation]:
    old = before.inbound_client.client_id if before and before.inbound_client else None
    new = after.inbound_client.client_id if after and after.inbound_client else None
    operations: list[Operation] = []
    if old and old != new:
        operations.append(("HDEL", _INBOUND, old, ""))
    if new and after and old != new:
        operations.append(("HSET", _INBOUND, new, after.id))
    return operations


def _aliases(integration: Integration) -> tuple[str, str]:
    return str(integration.app_market_id), integration.connector_id
