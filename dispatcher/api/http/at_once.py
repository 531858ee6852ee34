"""Requests so ordinary that they are begun as soon as they are read, and then wait for one answer alone.

Whoever begins them takes plain values, decides nothing that the route's handler does not decide, and refuses nothing:
what is odd, or would have to wait for anything else, is begun by nobody and goes to that handler from the start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from aiohttp import hdrs, web
from multidict import MultiMapping

from dispatcher.model.access import Caller


class Answer(NamedTuple):
    """An answer in JSON. ``headers``: those that are its own."""

    status: int
    headers: dict[str, str]
    data: Any


class Begun(NamedTuple):
    """Of a request that is begun: ``outcome`` is to come, and ``answer`` makes what is said of it."""

    outcome: asyncio.Future[Any]
    answer: Callable[[Any], Answer]


Begin = Callable[[MultiMapping[str], bytes], Begun | None]
"""Headers and body → what is begun; None, or whatever it raises: nothing is, and the handler is asked."""

Ready = Callable[[], Begun]
Ordinary = Callable[[MultiMapping[str], bytes, Caller], Ready | None]
"""As ``Begin``, of a caller that is let in; nothing is begun before the last word."""

AT_ONCE: web.AppKey[Mapping[str, Begin]] = web.AppKey("at_once")
"""By path, of POST."""

_UNHEEDED = (
    "accept accept-encoding accept-language authorization cache-control connection content-length content-type "
    "dnt forwarded host origin pragma priority referer traceparent tracestate user-agent via x-amzn-trace-id "
    "x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-real-ip x-request-id"
)
_AIOHTTPS = {str(value).lower(): str(value) for value in vars(hdrs).values() if isinstance(value, str)}
ORDINARY_HEADERS = frozenset(
    spelling for name in _UNHEEDED.split() for spelling in (name, name.title(), _AIOHTTPS.get(name, name))
)
"""Headers with which a request may be begun at once, as they are usually spelled. Any other may mean something.

aiohttp has spellings of its own for the names that it knows.
"""
