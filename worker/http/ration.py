"""Rations: something that few can have at a time, shared by tenants that wait for it in turn. Does no I/O.

Who asks is told by a context variable: a task that works for somebody says so once, and every task that it starts (a
connection, a lookup, a token that others wait for as well) asks in that name.
"""

from __future__ import annotations

import asyncio
import errno
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from dispatcher.policy.pace.shares import may_take

NOBODY = ""
TENANT: ContextVar[str] = ContextVar("tenant", default=NOBODY)
"""The tenant that the running task works for."""


class NothingLeft(OSError):
    """The tenant's share is used up. A shortage of ours, which charges nobody with an attempt."""

    def __init__(self, of_what: str) -> None:
        super().__init__(errno.EAGAIN, f"no {of_what} left for this vendor")


@contextmanager
def on_behalf_of(tenant: str) -> Iterator[None]:
    """Ask in that name for as long as this is entered."""
    token = TENANT.set(tenant)
    try:
        yield
    finally:
        TENANT.reset(token)


class Ration:
    """So many of something. Each tenant holds at most half of what the others leave (``policy/shares``)."""

    def __init__(self, of_all: int, of_what: str) -> None:
        """``of_what``: as in "no … left for this vendor"."""
        self._all = of_all
        self._of_what = of_what
        self._taken = 0
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """By tenant; the one that got something last comes last."""

    def held_by(self, tenant: str) -> int:
        return self._held[tenant]

    async def take(self, tenant: str, within_s: float | None = None) -> None:
        """Take one, to be given back; raises ``NothingLeft`` when none was left within that time."""
        if tenant not in self._waiting and self._has_share(tenant):
            self._hand_out(tenant)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(turn)
        try:
            await asyncio.wait([turn], timeout=within_s)  # cancels nothing: it is handed out, or it still waits
        except asyncio.CancelledError:
            self._leave(tenant, turn)
            raise
        if not turn.done():
            self._leave(tenant, turn)
            raise NothingLeft(self._of_what)

    def give_back(self, tenant: str) -> None:
        """One that was taken; whoever waits for it is next."""
        self._taken -= 1
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        self._serve()

    def _has_share(self, tenant: str) -> bool:
        held = self._held[tenant]
        return may_take(self._all, self._taken - held, held)

    def _hand_out(self, tenant: str) -> None:
        self._taken += 1
        self._held[tenant] += 1

    def _serve(self) -> None:
        for tenant in list(self._waiting):
            if self._has_share(tenant):
                turns = self._waiting.pop(tenant)
                turn = turns.popleft()
                if turns:
                    self._waiting[tenant] = turns
                self._hand_out(tenant)
                turn.set_result(None)

    def _leave(self, tenant: str, turn: asyncio.Future[None]) -> None:
        """Wait no longer; what was handed out in this very moment goes back."""
        if turn.done():
            self.give_back(tenant)
            return
        turns = self._waiting[tenant]
        turns.remove(turn)
        if not turns:
            del self._waiting[tenant]
