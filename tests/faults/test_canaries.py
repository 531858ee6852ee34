"""Unique secrets of every kind, planted everywhere; then everything is driven, and all that was left behind searched.

Searched are logs at level debug, answers, metrics, every key of Redis, and the append-only file, which holds whatever
was ever written, jobs and short-lived keys included.
"""

from __future__ import annotations

import base64
import signal
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from tests.faults.canaries import Canaries
from tests.faults.canary_scene import Scene, define, scene
from tests.faults.canary_uses import deliver, look, misuse, ping, rotate

__all__ = ["scene"]


def test_a_secret_is_found_in_every_form() -> None:
    canaries = Canaries()
    secret = canaries.new("kind")
    pair = base64.b64encode(f"user:{secret}".encode())
    for text in (
        secret.encode(),
        secret.encode().hex().encode(),
        pair,
        base64.urlsafe_b64encode(b"xy" + pair)[:0] + pair,
    ):
        assert canaries.found_in("here", b"before " + text + b" after")
    assert not canaries.found_in("here", b"nothing")


async def test_no_secret_is_left_behind_in_logs_answers_metrics_or_redis(scene: Scene) -> None:
    await define(scene)
    await deliver(scene)
    await ping(scene)
    await rotate(scene)
    await misuse(scene)
    await look(scene)
    for program in scene.deployment.programs:
        program.signal(signal.SIGTERM)
    for program in scene.deployment.programs:
        await program.ended()
    found = [leak async for leak in leaks(scene)]
    assert len(scene.canaries.planted) > 30
    assert found == []


async def leaks(scene: Scene) -> AsyncIterator[str]:
    canaries, deployment = scene.canaries, scene.deployment
    for number, answer in enumerate(scene.answers):
        for leak in canaries.found_in(f"answer {number}: {answer[:300]!r}", answer):
            yield leak
    for program in deployment.programs:
        lines = program.log.read_bytes().splitlines()
        assert any(b'"level":"debug"' in line for line in lines) or len(lines) > 5
        for line in lines:
            for leak in canaries.found_in(f"log line {line[:300]!r}", line):
                yield leak
    async for where, value in everything_in(deployment.redis):
        for leak in canaries.found_in(where, value):
            yield leak
    for file in sorted(deployment.server.folder.rglob("appendonlydir/*")):
        for leak in canaries.found_in(file.name, file.read_bytes()):
            yield leak


async def everything_in(redis: Redis) -> AsyncIterator[tuple[str, bytes]]:
    """Every key with its value, whatever its type; arq's too."""
    async for key in redis.scan_iter(count=1000):
        yield f"the name {key!r}", key
        yield f"the value of {key!r}", await redis.dump(key) or b""
        kind = (await redis.type(key)).decode()
        if kind == "hash":
            yield f"the value of {key!r}", repr(await redis.hgetall(key)).encode()  # type: ignore[misc]
        elif kind == "string":
            yield f"the value of {key!r}", await redis.get(key) or b""
        elif kind == "stream":
            yield f"the value of {key!r}", repr(await redis.xrange(key)).encode()
        elif kind == "list":
            yield f"the value of {key!r}", repr(await redis.lrange(key, 0, -1)).encode()  # type: ignore[misc]
