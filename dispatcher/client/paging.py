"""Walks a list of the API page after page, by ``nextCursor``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from dispatcher.client.transport import Call

PAGE = 200


async def pages(
    call: Callable[[Call], Awaitable[Any]],
    path: str,
    conditions: Mapping[str, str] | None = None,
    limit: int | None = None,
) -> AsyncIterator[Any]:
    """Entries of the list, in its order; ``limit`` None = all."""
    cursor: str | None = None
    left = limit
    while left is None or left > 0:
        query = {**(conditions or {}), "limit": str(PAGE if left is None else min(left, PAGE))}
        page = await call(Call("GET", path, query | ({"cursor": cursor} if cursor else {})))
        for one in page["data"]:
            yield one
        cursor = page["nextCursor"]
        left = None if left is None else left - len(page["data"])
        if cursor is None:
            return
