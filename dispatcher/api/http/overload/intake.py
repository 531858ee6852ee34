"""Bounds the bodies that are held at once, in bytes: while they arrive, and from then on until they are answered.

What is read of a body, and what is made of it, is memory that callers choose. Small ones never wait; large ones take
turns, so that neither memory nor those who send little depend on how many send much.
"""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.overload.turns import Room, Turns, share_of
from dispatcher.api.http.route import CALLER

SMALL_BYTES = 16 << 10
"""Bodies up to this size take no turn."""
ARRIVING = Room(at_once=16 << 20, of_one=8 << 20, waiting=1024, waiting_of_one=768, what="large bodies")
HANDLED = Room(at_once=4 << 20, of_one=2 << 20, waiting=1024, waiting_of_one=1024, what="large bodies")
"""Parsed, a body takes up to twenty times its bytes."""


class Intake:
    """One per process."""

    def __init__(self, arriving: Room = ARRIVING, handled: Room = HANDLED) -> None:
        self.arriving = Turns(arriving)
        self.handled = Turns(handled)


INTAKE = web.AppKey("intake", Intake)


async def may_arrive(request: web.Request, size: int) -> None:
    """Waits until a body of ``size`` bytes may be read. Raises 429 or 503."""
    if size > SMALL_BYTES:
        await request.app[INTAKE].arriving.begin(_share(request), size)


async def may_be_handled(request: web.Request, size: int) -> None:
    """Waits until what was read may be parsed. Raises 429 or 503."""
    if size > SMALL_BYTES:
        await request.app[INTAKE].handled.begin(_share(request), size)


def _share(request: web.Request) -> str:
    caller = request.get(CALLER)
    return share_of(caller) if caller is not None else ""
