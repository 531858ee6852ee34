"""``ETag`` and ``If-Match`` of records that have a time of their last change (RFC 9110 §13.1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import hdrs, web

from dispatcher.errors import Conflict, Problem, RequestError


def tagged(modified_ms: int) -> dict[str, str]:
    """The header that names this state of a record."""
    return {hdrs.ETAG: f'"{modified_ms}"'}


@contextmanager
def expected_ms(request: web.Request) -> Iterator[int | None]:
    """The time that ``If-Match`` names, None = any; a conflict in the block is then 412."""
    given = request.headers.get(hdrs.IF_MATCH, "*").strip()
    expected = None if given == "*" else _time_in(given)
    try:
        yield expected
    except Conflict as error:
        if expected is None or error.problems[0].code != "modified_meanwhile":
            raise
        text = "It is no longer the one that If-Match names: get it again, then repeat with its ETag."
        raise RequestError([Problem("precondition_failed", text)], 412) from None


def _time_in(tag: str) -> int:
    """-1 for a tag that we never gave: it is nobody's time."""
    plain = tag.strip('"')
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 15 else -1
