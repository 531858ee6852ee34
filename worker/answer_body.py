"""Reads what a host answers, up to a limit. Never inflates, never waits past the request's total time-out.

The status line decides most outcomes; a body that drips, breaks off or never ends is what came of it, marked truncated.
"""

from __future__ import annotations

from typing import NamedTuple

import aiohttp

MAX_ANSWER_BYTES = 64 * 1024


class AnswerBody(NamedTuple):
    """``truncated``: there was more, or it broke off, or its time ran out."""

    data: bytes
    truncated: bool


async def read_bounded(answer: aiohttp.ClientResponse, limit_bytes: int = MAX_ANSWER_BYTES) -> AnswerBody:
    """At most ``limit_bytes`` of the body as it came over the wire. A truncated answer's connection is closed."""
    parts: list[bytes] = []
    missing = limit_bytes + 1
    truncated = False
    content = answer.content
    try:
        if content.is_eof():  # as nearly always: it came with the headers
            parts.append(content.read_nowait(missing))
        else:
            while missing > 0 and (part := await content.read(missing)):
                parts.append(part)
                missing -= len(part)
    except (aiohttp.ClientError, TimeoutError, OSError):
        truncated = True
    data = b"".join(parts)
    if truncated or len(data) > limit_bytes:
        answer.close()
        return AnswerBody(data[:limit_bytes], True)
    return AnswerBody(data, False)
