"""Reads what a host answers, up to a limit. Never inflates, never waits past the request's total time-out.

The status line decides most outcomes; a body that drips, breaks off or never ends is what came of it, marked truncated.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiohttp

MAX_ANSWER_BYTES = 64 * 1024


class AnswerBody(NamedTuple):
    """``truncated``: there was more, or it broke off, or its time ran out."""

    data: bytes
    truncated: bool


async def read_bounded(
    content: aiohttp.StreamReader, deadline_s: float, limit_bytes: int = MAX_ANSWER_BYTES
) -> AnswerBody:
    """At most ``limit_bytes`` of the body as it came over the wire until ``deadline_s`` (the loop's clock).

    The connection of a truncated answer cannot be used again.
    """
    if content.is_eof():  # as nearly always: it came with the headers
        return _bounded(content.read_nowait(limit_bytes + 1), limit_bytes)
    data = bytearray()
    try:
        async with asyncio.timeout_at(deadline_s):
            while len(data) <= limit_bytes and (part := await content.read(limit_bytes + 1 - len(data))):
                data += part
    except (aiohttp.ClientError, OSError, RuntimeError):  # the last: closed by us, says StreamReader
        return AnswerBody(bytes(data[:limit_bytes]), True)
    return _bounded(bytes(data), limit_bytes)


def _bounded(data: bytes, limit_bytes: int) -> AnswerBody:
    return AnswerBody(data[:limit_bytes], len(data) > limit_bytes)
