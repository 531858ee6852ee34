"""Ids that are numbers, in paths. One that is none is nobody's: 404."""

from __future__ import annotations

from aiohttp import web

from dispatcher.errors import NotFound

MAX_NUMBER = 2**31 - 1


def number_in_path(request: web.Request, name: str) -> int:
    text = request.match_info[name]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_NUMBER))):
        raise NotFound.of("not_found", "There is no such thing; its id is a number.", name)
    return int(text)
