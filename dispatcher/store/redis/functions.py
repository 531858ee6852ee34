"""Scripts as functions that Redis keeps (``FCALL``), where it has such and its user may: made once, not for each call.

Each is a library of its own. Its name, and that of its function, is the SHA1 of its text: those of several versions lie
beside one another, and libraries of others are left alone. A client whose Redis refuses sends scripts from then on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any
from weakref import WeakSet

import structlog
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import NoPermissionError, NoScriptError, OutOfMemoryError, ResponseError

Client = Redis | RedisCluster

PREFIX = "dispatcher_"
"""Of the names of our libraries."""
_UNKNOWN = re.compile("unknown (?:command|subcommand)", re.IGNORECASE)
_NO_FUNCTIONS = re.compile("unknown command [`']fcall|to run the 'fcall'", re.IGNORECASE)
_without: WeakSet[Client] = WeakSet()

log = structlog.get_logger("store")


def are_kept(client: Client) -> bool:
    """True until its Redis has refused; a server that forgot them is no such."""
    return not _without or client not in _without


def not_begun(client: Client, replies: Sequence[Any]) -> list[int]:
    """Places of the calls that Redis does not know as they were sent: none was begun, each may be sent as a text."""
    errors = {i: str(reply) for i, reply in enumerate(replies) if isinstance(reply, ResponseError)}
    refused = [i for i, text in errors.items() if _NO_FUNCTIONS.search(text)]
    if refused:
        _do_without(client, errors[refused[0]])
    forgotten = [i for i, text in errors.items() if text == "Function not found"]
    unknown = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
    return sorted((*refused, *forgotten, *unknown))


def each_server(client: Client) -> list[dict[str, Any]]:
    """Options of a pipeline's command, one for each server that writes: a cluster has several."""
    primaries = client.get_primaries() if isinstance(client, RedisCluster) else []
    return [{"target_nodes": node} for node in primaries] or [{}]


async def load(client: Client, libraries: Sequence[str]) -> None:
    """Have Redis keep them. One refusal is enough."""
    if not are_kept(client):
        return
    pipeline: Any = client.pipeline(transaction=False)
    for server in each_server(client):
        for library in libraries:
            pipeline.execute_command("FUNCTION LOAD", library, **server)
    for reply in await pipeline.execute(raise_on_error=False):
        if isinstance(reply, (NoPermissionError, OutOfMemoryError)) or _UNKNOWN.match(str(reply)):
            _do_without(client, str(reply))
            return


async def forget_others(client: Client, ours: Collection[str]) -> None:
    """Delete our libraries but for these. A process of another version that lives loads its own again when it calls."""
    for server in each_server(client):
        listing: Any = client.pipeline(transaction=False)
        listing.execute_command("FUNCTION LIST", "LIBRARYNAME", f"{PREFIX}*", **server)
        (listed,) = await listing.execute(raise_on_error=False)
        found = [] if isinstance(listed, Exception) else [library[1].decode() for library in listed]
        deleting: Any = client.pipeline(transaction=False)
        for name in sorted({*found}.difference(ours)):
            deleting.execute_command("FUNCTION DELETE", name, **server)
        await deleting.execute(raise_on_error=False)


def _do_without(client: Client, why: str) -> None:
    if are_kept(client):
        log.info("scripts are sent by their names, since Redis keeps no functions for this user", why=why)
        _without.add(client)
