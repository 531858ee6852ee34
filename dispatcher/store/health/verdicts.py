"""The verdict as all processes share it: whose turn it is to judge, what was said last, and who knows of what."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable
from typing import TypeVar, cast

import orjson
from pydantic import TypeAdapter
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from dispatcher.model.verdict import Acknowledgement, Verdict
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import reply_of, script

TURN_MS = 9_000
EMITS_KEPT_S = 3600
EMITS_COUNT_MS = 30_000
"""Time for which a process's word about its emits is believed."""

_SAY = script("health/say", keys.VERDICT)
_VERDICT = TypeAdapter(Verdict)
_KNOWN = TypeAdapter(Acknowledgement)

T = TypeVar("T")


class VerdictStore:
    """Raises ``StoreUnavailable`` when Redis did not answer."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take_turn(self, process: str) -> bool:
        """True for the one process that judges now; one's own turn is renewed."""
        return bool(await reply_of(self._redis, _SAY.call((), process, TURN_MS, "", 0, 0)))

    async def give_turn_up(self, process: str) -> None:
        """A process that stops lets the next one judge at once."""
        if await self.take_turn(process):
            await reply_of(self._redis, _SAY.call((), process, 0, "", 0, 0))

    async def write(self, said: Verdict, process: str, *, out_of_turn: bool = False) -> None:
        """Nothing when it is another's turn by now, unless ``out_of_turn``; nor when a later one is there."""
        arguments = process, TURN_MS, _VERDICT.dump_json(said), int(out_of_turn), said.at_ms
        await reply_of(self._redis, _SAY.call((), *arguments))

    async def read(self) -> Verdict | None:
        """The last one; None = there is none, or a newer version wrote it."""
        with guarded():
            stored = await _typed(bytes, self._redis.hget(keys.VERDICT, "said"))
        try:
            return _VERDICT.validate_json(stored) if stored else None
        except ValueError:
            return None

    async def known(self) -> dict[str, Acknowledgement]:
        """Problems that somebody knows of, by their id."""
        with guarded():
            stored = await _typed(dict[bytes, bytes], self._redis.hgetall(keys.KNOWN_PROBLEMS))
        return {name.decode(): _KNOWN.validate_json(value) for name, value in stored.items()}

    async def acknowledge(self, problem_id: str, by: Acknowledgement) -> None:
        with guarded():
            await _typed(int, self._redis.hset(keys.KNOWN_PROBLEMS, problem_id, _KNOWN.dump_json(by).decode()))

    async def forget(self, problem_ids: Iterable[str]) -> None:
        """Problems that have ended: they are new when they come back."""
        if ended := list(problem_ids):
            with guarded():
                await _typed(int, self._redis.hdel(keys.KNOWN_PROBLEMS, *ended))

    async def say_emits(self, process: str, emits: int, failed: int, now_ms: int) -> None:
        """Emits of this process in its last minute, and how many of them failed by our fault."""
        with guarded(), contextlib.suppress(OutOfMemoryError):  # then nothing is accepted anyway
            said = orjson.dumps([now_ms, emits, failed]).decode()
            saying = _typed(int, self._redis.hset(keys.EMITS, process, said))
            await asyncio.gather(saying, self._redis.expire(keys.EMITS, EMITS_KEPT_S))

    async def emits(self, now_ms: int) -> tuple[int, int]:
        """Emits and failed ones of all processes, and forgets processes that are gone."""
        with guarded():
            stored = await _typed(dict[bytes, bytes], self._redis.hgetall(keys.EMITS))
        said = {name.decode(): orjson.loads(value) for name, value in stored.items()}
        fresh = [one for one in said.values() if now_ms - one[0] <= EMITS_COUNT_MS]
        if gone := [name for name, one in said.items() if now_ms - one[0] > EMITS_COUNT_MS]:
            with guarded():
                await _typed(int, self._redis.hdel(keys.EMITS, *gone))
        return sum(one[1] for one in fresh), sum(one[2] for one in fresh)


def _typed(kind: type[T], reply: object) -> Awaitable[T]:
    return cast("Awaitable[T]", reply)
