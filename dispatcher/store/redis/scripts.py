"""Runs the Lua scripts in ``store/lua``: many calls in one round trip, reloaded when Redis forgot them.

A script is one file. Its first line names the prelude: what it needs of that is put before it. A second line
``-- at maxmemory:`` says that it ``runs`` although Redis is full, or is ``refused`` before it wrote anything; without
it Redis refuses the first command that needs memory, wherever that stands. A third line ``-- parts:`` names scripts of
the same prelude that it calls by the names of their files, each with its arguments. One that is all functions, of which
the last has the name of its file and takes ARGV and KEYS, is kept by Redis as a function where that is possible. Never
retries a script whose reply was lost: whoever calls decides that, because it knows how to ask again.

A script of the queue makes up keys beside the one that it is called with, so a node that has a part of the slot must
not run it. Each such call declares a key that is never there: while the slot moves, no node of a cluster has all that
is declared, and each refuses the script before its first command.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from dispatcher.errors import StoreUnavailable
from dispatcher.store.keys.queue import never
from dispatcher.store.redis.cancellable import Cancellable, exchange_over
from dispatcher.store.redis.connection import guarded, outage_of
from dispatcher.store.redis.functions import PREFIX, are_kept, each_server, forget_others, load, not_begun
from dispatcher.store.redis.prelude import needed
from dispatcher.store.redis.together import Together

Client = Redis | RedisCluster
Argument = str | bytes | int | float
Command = tuple[Argument, ...]

PRELUDES = {"queue": "_queue.lua", "audit": "_audit.lua", "none": None}
"""By the word in a script's first line: the file of which what it needs is put before it."""
_BEGIN = {"queue": "begin(KEYS[1])\n"}
"""Beginning of each call, by the same word."""

_AT_MAXMEMORY = {"runs": "#!lua flags=allow-oom\n", "refused": "#!lua\n", None: ""}
_HEADER = re.compile(rf"-- prelude: ({'|'.join(PRELUDES)})\n(?:-- at maxmemory: (runs|refused)\b)?")
_PARTS = re.compile(r"^-- parts: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua file behind what it needs of its prelude, with the SHA1 by which Redis knows it."""

    name: str
    """Room and file, as in ``queue/claim``."""
    prelude: str
    text: str
    sha: str
    keys: tuple[str, ...] = ()
    """Keys of every call, in front of those that the call names."""
    function: str = ""
    """Name of the same as a function that Redis keeps; empty of one that is a script only."""
    library: str = ""
    """Text of the library of that name."""

    def call(self, keys: Sequence[str], *arguments: Argument) -> Call:
        """To run it on keys of one hash slot."""
        unseen = _never_there(keys[0]) if keys and self.prelude == "queue" else ()
        return Call(self, (*self.keys, *keys, *unseen), arguments)


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a script. Its keys share a hash slot, unless all slots are on one server."""

    script: Script
    keys: tuple[str, ...]
    arguments: Sequence[Argument] = ()

    def by_name(self, client: Client) -> Command:
        """As a function, where the client's Redis keeps such, or by the SHA1 of the script."""
        if self.script.function and are_kept(client):
            return ("FCALL", self.script.function, len(self.keys), *self.keys, *self.arguments)
        return ("EVALSHA", self.script.sha, len(self.keys), *self.keys, *self.arguments)

    def by_text(self, _: Client | None = None) -> Command:
        """Runs also when Redis has forgotten the script at this very moment."""
        return ("EVAL", self.script.text, len(self.keys), *self.keys, *self.arguments)


Run = Callable[[Client, Sequence[Call]], Awaitable[list[Any]]]
"""``each``, or what strict durability puts in its place."""


@lru_cache(4096)
def _never_there(key: str) -> tuple[str, ...]:
    return (never(key),) if key.endswith(":own") else ()


@cache
def script(name: str, *keys: str) -> Script:
    """The script of that name. Raises ``ValueError`` for a file that does not begin as it must."""
    body = _file(f"{name}.lua")
    header = _HEADER.match(body)
    if header is None:
        raise ValueError(f"{name}.lua must begin with `-- prelude: ` and one of {', '.join(PRELUDES)}")
    prelude, begin = PRELUDES[header[1]], _BEGIN.get(header[1], "")
    is_function = f"\nlocal function {_short(name)}(" in body
    made = "".join(map(_function, [*_parts(body), *([name] if is_function else [])]))
    begun = begin + (f"return {_short(name)}(ARGV, KEYS)\n" if is_function else body)
    words = needed(_file(prelude), made + begun) if prelude else ""
    text = _AT_MAXMEMORY[header[2]] + words + made + begun
    function, library = _kept(words + made, begun, header[2]) if is_function else ("", "")
    return Script(name, header[1], text, _sha1(text), keys, function, library)


def _kept(made: str, begun: str, at_maxmemory: str) -> tuple[str, str]:
    """Name and text of the library with one function, of the same name."""
    flags = {"runs": "{'allow-oom'}", "refused": "{}"}[at_maxmemory]
    name = PREFIX + _sha1(made + begun + flags)
    callback = f"function(KEYS, ARGV)\n{begun}end"
    registered = f"redis.register_function{{function_name = '{name}', flags = {flags}, callback = {callback}}}\n"
    return name, f"#!lua name={name}\n{made}{registered}"


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _file(name: str) -> str:
    return files("dispatcher.store").joinpath("lua", name).read_text("utf-8")


def _parts(body: str) -> list[str]:
    named = _PARTS.search(body)
    return named[1].split(", ") if named else []


def _function(name: str) -> str:
    """A script that is all functions, as the last of them."""
    short = _short(name)
    return f"local {short} = (function()\n{_file(f'{name}.lua')}return {short}\nend)()\n"


def _short(name: str) -> str:
    return name.rpartition("/")[2]


@cache
def all_scripts() -> tuple[Script, ...]:
    """Every file in the rooms of ``store/lua``."""
    rooms = [room for room in files("dispatcher.store").joinpath("lua").iterdir() if room.is_dir()]
    names = sorted(f"{room.name}/{file.name.removesuffix('.lua')}" for room in rooms for file in room.iterdir())
    return tuple(script(name) for name in names)


async def run(client: Client, calls: Sequence[Call]) -> list[Any]:
    """Every call's reply, in order, in one round trip. Raises the first that is an error, and ``StoreUnavailable``."""
    with guarded():
        replies = await attempt(client, calls)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
    return replies


async def each(client: Client, calls: Sequence[Call]) -> list[Any]:
    """As ``run``, with an error in the place of its reply: ``StoreUnavailable``, or what a script failed with.

    Raises ``StoreUnavailable`` when that is what came of every call.
    """
    with guarded():
        replies = await attempt(client, calls)
    return by_itself(replies)


async def each_of(pipeline: Any) -> list[Any]:
    """The same for commands that were put into a pipeline."""
    with guarded():
        replies = await pipeline.execute(raise_on_error=False)
    return by_itself(replies)


async def each_command(client: Client, commands: Sequence[Command]) -> list[Any]:
    """The same for commands as they are sent, under one deadline: a hash is names and values in turn, or a mapping."""
    with guarded():
        replies = await _round_trip(client, commands)
    return by_itself(replies)


def fields_of(reply: Any) -> dict[bytes, bytes]:
    """Of a hash, as ``each_command`` has it from a connection or from a cluster."""
    return reply if isinstance(reply, dict) else dict(zip(reply[::2], reply[1::2], strict=True))


def by_itself(replies: list[Any]) -> list[Any]:
    """Replies and errors, each outage by its name. Raises ``StoreUnavailable`` when there is nothing else."""
    named = [(outage_of(reply) or reply) if isinstance(reply, Exception) else reply for reply in replies]
    if named and all(isinstance(reply, StoreUnavailable) for reply in named):
        raise named[0]
    return named


async def reply_of(client: Client, call: Call) -> Any:
    """As ``run``, for one call."""
    return (await run(client, [call]))[0]


async def attempt(client: Client, calls: Sequence[Call]) -> list[Any]:
    """As ``run``, but errors are redis-py's. A ``ResponseError`` stands in the place of its reply; in a cluster every
    error does.

    A second round trip follows ``SCRIPT FLUSH`` or a restart.
    """
    replies = await _round_trip(client, [call.by_name(client) for call in calls])
    if missing := not_begun(client, replies):
        await load_all(client)
        again = await _round_trip(client, [calls[i].by_text() for i in missing])
        for i, reply in zip(missing, again, strict=True):
            replies[i] = reply
    return replies


async def load_all(client: Client) -> None:
    """Not only what is missing: a claim behind a settle that has to be sent again would overtake it."""
    pipeline: Any = client.pipeline(transaction=False)
    for server in each_server(client):
        for known in all_scripts():
            pipeline.execute_command("SCRIPT LOAD", known.text, **server)
    in_cluster = isinstance(client, RedisCluster)
    await pipeline.execute(raise_on_error=not in_cluster)  # a node that is away learns them when it is back
    await load(client, [known.library for known in all_scripts() if known.library])


async def forget_other_versions(client: Client) -> None:
    """Functions of other versions of this program, which its processes have loaded again as soon as they call one."""
    with guarded():
        await forget_others(client, [known.function for known in all_scripts()])


async def _round_trip(client: Client, commands: Sequence[Command]) -> list[Any]:
    if isinstance(client, Together):
        return await Together.exchange(client, commands)
    if isinstance(client, Redis) and issubclass(client.connection_pool.connection_class, Cancellable):
        return await exchange_over(client, commands)
    pipeline: Any = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    replies: list[Any] = await pipeline.execute(raise_on_error=False)
    return replies
