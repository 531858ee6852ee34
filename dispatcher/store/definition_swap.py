"""One atomic change of definition documents and their indexes, announced to every cache.

Never decides what to write: ``definitions`` does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, cast

from redis.asyncio import Redis

from dispatcher.model.integration import Integration
from dispatcher.store import keys
from dispatcher.store.connection import guarded

_SCRIPT = files("dispatcher.store").joinpath("lua/def_swap.lua").read_text("utf-8")
_INDEX_KEYS = (keys.DEF_ALIASES, keys.DEF_INBOUND, keys.DEF_INTEGRATIONS)
_ALIASES, _INBOUND, _INTEGRATIONS = "1", "2", "3"

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
) -> bool:
    """Write all of it and delete the keys ``dropped`` if every document still is what was read, else False."""
    documents = [one.key for one in swaps]
    names = [*_INDEX_KEYS, *documents, *dropped]
    first_dropped = len(names) - len(dropped) + 1
    deletions = [("DEL", str(first_dropped + n), "", "") for n in range(len(dropped))]
    announced = [("PUBLISH", "0", keys.DEFINITIONS_CHANNEL, message) for message in changed]
    arguments: list[Any] = [str(len(swaps))]
    for one in swaps:
        arguments += [one.before, one.after]
    for operation in (*operations, *deletions, *announced):
        arguments += operation
    with guarded():
        return await cast("Awaitable[int]", redis.eval(_SCRIPT, len(names), *names, *arguments)) == 1


def created(integration: Integration) -> list[Operation]:
    """Index entries of a new integration."""
    return [
        *(("HSET", _ALIASES, alias, integration.id) for alias in _aliases(integration)),
        ("ZADD", _INTEGRATIONS, integration.id, str(integration.created_ms)),
        *changed_inbound(None, integration),
    ]


def deleted(integration: Integration) -> list[Operation]:
    """Takes every index entry of an integration away."""
    return [
        *(("HDEL", _ALIASES, alias, "") for alias in _aliases(integration)),
        ("ZREM", _INTEGRATIONS, integration.id, ""),
        *changed_inbound(integration, None),
    ]


def changed_inbound(before: Integration | None, after: Integration | None) -> list[Operation]:
    """Keeps the index of inbound clients in step with the record."""
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
