"""Runs the Lua scripts in ``store/lua``: many calls in one round trip, reloaded when Redis forgot them.

Each script is its own file behind the shared prelude ``_queue.lua``. Never retries a script whose reply was lost:
whoever calls decides that, because it knows how to ask again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import NoScriptError, ResponseError

from dispatcher.store.redis.cancellable import Cancellable

Client = Redis | RedisCluster
Argument = str | bytes | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """One transition of the queue, with the SHA1 by which Redis knows it."""

    name: str
    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class Call:
    """One script on one key; all other keys share the key's hash slot.

    ``further_keys``: more of the same kind, on a client whose keys are all on one node.
    """

    script: Script
    key: str
    arguments: Sequence[Argument] = ()
    further_keys: Sequence[str] = ()

    def command(self, verb: str, body: str) -> tuple[Argument, ...]:
        return (verb, body, 1 + len(self.further_keys), self.key, *self.further_keys, *self.arguments)


NAMES = (
    *("accept", "audit", "beat", "claim", "conclude", "grant", "hold", "list", "look", "mark", "mend"),
    *("overview", "own", "recount", "reopen", "rest", "settle"),
)
EASES_MEMORY = frozenset(
    {"claim", "settle", "grant", "own", "rest", "conclude", "hold", "mend", "beat", "mark", "recount"}
)
"""Run even when Redis is at ``maxmemory``: they take work off it, or let it go on. Accepting does not."""


@cache
def script(name: str) -> Script:
    """The script of that name, prelude included."""
    folder = files("dispatcher.store").joinpath("lua")
    flags = "#!lua flags=allow-oom\n" if name in EASES_MEMORY else ""
    text = flags + folder.joinpath("_queue.lua").read_text() + folder.joinpath(f"{name}.lua").read_text()
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


async def run(client: Client, calls: Sequence[Call]) -> list[Any]:
    """As ``attempt``, but raises the first reply that is an error."""
    replies = await attempt(client, calls)
    for reply in replies:
        if isinstance(reply, ResponseError):
            raise reply
    return replies


async def attempt(client: Client, calls: Sequence[Call]) -> list[Any]:
    """Every call's reply, in order, in one round trip; a second one after ``SCRIPT FLUSH`` or a restart.

    A ``ResponseError`` stands in the place of its reply. Raises connection errors.
    """
    replies = await _round_trip(client, calls)
    missing = [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
    if missing:
        # All of them, not only what is missing: a claim behind a settle that has to be sent again would overtake it.
        for name in NAMES:
            await client.script_load(script(name).text)
        again = await _round_trip(client, [calls[i] for i in missing], _by_text)
        for i, reply in zip(missing, again, strict=True):
            replies[i] = reply
    return replies


def _by_sha(call: Call) -> tuple[Argument, ...]:
    return call.command("EVALSHA", call.script.sha)


def _by_text(call: Call) -> tuple[Argument, ...]:
    """Runs even if Redis forgets its scripts once more at this very moment."""
    return call.command("EVAL", call.script.text)


async def _exchange(client: Redis, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
    connection: Cancellable = await client.connection_pool.get_connection()
    try:
        return await connection.exchange(commands)
    finally:
        await client.connection_pool.release(connection)


async def _round_trip(
    client: Client, calls: Sequence[Call], command: Callable[[Call], tuple[Argument, ...]] = _by_sha
) -> list[Any]:
    if isinstance(client, Redis) and issubclass(client.connection_pool.connection_class, Cancellable):
        return await _exchange(client, [command(call) for call in calls])
    if len(calls) == 1:
        try:
            return [await client.execute_command(*command(calls[0]))]
        except ResponseError as error:
            return [error]
    pipeline: Any = client.pipeline(transaction=False)
    for call in calls:
        pipeline.execute_command(*command(call))
    replies: list[Any] = await pipeline.execute(raise_on_error=False)
    for reply in replies:
        if isinstance(reply, Exception) and not isinstance(reply, ResponseError):
            raise reply
    return replies
