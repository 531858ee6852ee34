"""The guard against work done twice: an event may arrive more than once, by accident or because somebody replays it.

A claim is made before the work and the answer kept after it. Who comes meanwhile is told to come again; who comes
later gets the same answer. Work that failed or was refused is forgotten, so that a redelivery is tried anew.
"""

from __future__ import annotations

import inspect
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from dispatcher.receiver.answers import Answer

KEPT_S = 30 * 86_400
"""Longer than events can be redelivered with their payload."""
CLAIMED_S = 300
"""Longer than any handler works: after that the claim of a process that died is anybody's."""
MAX_KEPT = 100_000
KEY = "webhook:{id}"


@dataclass(frozen=True, slots=True)
class Claim:
    """``answer``: of the first time. Neither ``token`` nor ``answer``: somebody is at work on it."""

    token: str | None = None
    answer: Answer | None = None


class Repeats(Protocol):
    """Keeps answers by webhook-id. Any store with an atomic 'set if absent' will do."""

    async def claim(self, event_id: str) -> Claim: ...
    async def keep(self, event_id: str, answer: Answer) -> None: ...
    async def release(self, event_id: str, token: str) -> None: ...


class MemoryRepeats:
    """For one process: the newest ``max_kept`` events since it started. May be shared by threads."""

    def __init__(self, max_kept: int = MAX_KEPT, steady: Callable[[], float] = time.monotonic) -> None:
        self._max_kept = max_kept
        self._steady = steady
        self._lock = threading.Lock()
        self._claims: dict[str, tuple[str, float]] = {}
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    async def claim(self, event_id: str) -> Claim:
        with self._lock:
            if event_id in self._answers:
                return Claim(answer=self._answers[event_id])
            now_s = self._steady()
            if event_id in self._claims and self._claims[event_id][1] > now_s:
                return Claim()
            token = _token()
            self._claims[event_id] = (token, now_s + CLAIMED_S)
            return Claim(token)

    async def keep(self, event_id: str, answer: Answer) -> None:
        with self._lock:
            self._claims.pop(event_id, None)
            self._answers[event_id] = answer
            while len(self._answers) > self._max_kept:
                self._answers.popitem(last=False)

    async def release(self, event_id: str, token: str) -> None:
        with self._lock:
            if self._claims.get(event_id, ("", 0.0))[0] == token:
                del self._claims[event_id]


class RedisCommands(Protocol):
    """The part of ``redis.Redis`` and ``redis.asyncio.Redis`` that is used; what it answers may be awaitable."""

    def set(self, name: str, value: str, *, px: int, nx: bool = False) -> Any: ...
    def get(self, name: str) -> Any: ...
    def eval(self, script: str, numkeys: int, *keys_and_args: str) -> Any: ...


_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RedisRepeats:
    """For any number of processes. ``redis``: a client of your own; an asynchronous one belongs to one event loop."""

    def __init__(
        self, redis: RedisCommands, *, key: str = KEY, kept_s: int = KEPT_S, claimed_s: int = CLAIMED_S
    ) -> None:
        self._redis = redis
        self._key = key
        self._kept_ms = kept_s * 1000
        self._claimed_ms = claimed_s * 1000

    async def claim(self, event_id: str) -> Claim:
        name, token = self._name(event_id), _token()
        if await _answered(self._redis.set(name, token, px=self._claimed_ms, nx=True)):
            return Claim(token)
        kept = await _answered(self._redis.get(name))
        return Claim(answer=_opened(kept)) if kept else Claim()

    async def keep(self, event_id: str, answer: Answer) -> None:
        document = {"status": answer.status, "document": dict(answer.document), "headers": dict(answer.headers)}
        await _answered(self._redis.set(self._name(event_id), orjson.dumps(document).decode(), px=self._kept_ms))

    async def release(self, event_id: str, token: str) -> None:
        await _answered(self._redis.eval(_RELEASE, 1, self._name(event_id), token))

    def _name(self, event_id: str) -> str:
        return self._key.replace("{id}", event_id)


def _token() -> str:
    """No JSON begins like this."""
    return "claim:" + os.urandom(12).hex()


def _opened(kept: bytes | str) -> Answer | None:
    text = kept.decode() if isinstance(kept, bytes) else kept
    return None if text.startswith("claim:") else Answer(**orjson.loads(text))


async def _answered(reply: Any) -> Any:
    return await reply if inspect.isawaitable(reply) else reply
