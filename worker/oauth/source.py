"""Tokens for deliveries: cached in memory and in Redis, one fetch at a time, refreshed ahead of expiry.

Never raises for a token that cannot be had: that is a ``TokenFailure``. Fails open towards Redis: without it each
process fetches for itself.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace

from dispatcher.clock import Clock
from dispatcher.errors import StoreUnavailable
from dispatcher.ids import new_uuid
from dispatcher.model.integration import OutboundCredentials
from dispatcher.store.secrets.tokens import AccessToken, TokenStore
from worker.http.transport import Route
from worker.oauth.slot import TokenSlot
from worker.oauth.values import Token, TokenFailure, fingerprint

Fetch = Callable[[OutboundCredentials, Route | None], Awaitable[AccessToken | TokenFailure]]
Outcome = Token | TokenFailure

POLL_S = 0.05
MAX_WAIT_S = 10.0
"""Longest wait for another process's fetch before asking ourselves."""
MAX_SLOTS = 10_000


class TokenSource:
    """One per worker process. ``key`` is the ``fingerprint`` of the opened credentials, computed once per revision."""

    def __init__(
        self,
        fetch: Fetch,
        store: TokenStore,
        clock: Clock,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._fetch = fetch
        self._store = store
        self._clock = clock
        self._jitter = jitter
        self._slots: dict[str, TokenSlot] = {}
        self._flights: dict[str, asyncio.Task[Outcome]] = {}

    def cached(self, key: str) -> str | None:
        """A token that needs no refresh yet, without any waiting; None = ask ``token``."""
        slot = self._slots.get(key)
        return slot.value if slot is not None and self._clock() < slot.refresh_at_s else None

    async def token(
        self, credentials: OutboundCredentials, fingerprint_scope: str, route: Route | None = None
    ) -> Outcome:
        """A token that has not expired. While one that is due for refresh still serves, nobody waits for the next.

        ``route`` is how the token endpoint is reached; the scope has to tell routes apart.
        """
        key = fingerprint(credentials, fingerprint_scope)
        slot, now_s = self._slot(key), self._clock()
        if slot.usable(now_s):
            if not slot.fresh(now_s) and slot.failing(now_s) is None:
                self._flight(key, credentials, route)
            return Token(slot.value, slot.expires_at_s, fetched=False)
        failure = slot.failing(now_s)
        if failure is not None:
            return failure
        joined = key in self._flights
        outcome = await asyncio.shield(self._flight(key, credentials, route))
        return replace(outcome, fetched=False) if joined and isinstance(outcome, Token) else outcome

    async def rejected(self, key: str, value: str) -> bool:
        """The host answered 401 to ``value``. True = ask ``token`` again and repeat the POST once.

        False = a fresh token was refused as well, so that another would not help for the next 30 s.
        """
        slot = self._slot(key)
        if not slot.refuse(value, self._clock()):
            return False
        with suppress(StoreUnavailable):
            await self._store.drop(key, value)
        return True

    def accepted(self, key: str) -> None:
        """The repeated POST was let in. Needed only after ``rejected`` returned True."""
        slot = self._slots.get(key)
        if slot is not None:
            slot.prove()

    async def close(self) -> None:
        """Give up every fetch that is under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _slot(self, key: str) -> TokenSlot:
        slot = self._slots.get(key)
        if slot is None:
            if len(self._slots) >= MAX_SLOTS:
                self._forget_idle()
            slot = self._slots[key] = TokenSlot()
        return slot

    def _forget_idle(self) -> None:
        now_s = self._clock()
        idle = [key for key, slot in self._slots.items() if slot.idle(now_s) and key not in self._flights]
        for key in idle or list(self._slots)[: MAX_SLOTS // 10]:
            del self._slots[key]

    def _flight(self, key: str, credentials: OutboundCredentials, route: Route | None) -> asyncio.Task[Outcome]:
        """The one fetch of this key that is under way in this process; a waiter that gives up does not end it."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(
                self._obtain(key, credentials, route), name=f"token {key}"
            )
            flight.add_done_callback(lambda done: self._landed(key, done))
        return flight

    def _landed(self, key: str, flight: asyncio.Task[Outcome]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()

    async def _obtain(self, key: str, credentials: OutboundCredentials, route: Route | None) -> Outcome:
        owner = new_uuid()
        try:
            found = await self._turn(key, owner)
        except StoreUnavailable:
            return self._hold(key, await self._fetch(credentials, route))
        if found is not None:
            self._hold(key, found)
            return Token(found.value, found.expires_at_s, fetched=False)
        try:
            granted = await self._fetch(credentials, route)
            outcome = self._hold(key, granted)
            if isinstance(granted, AccessToken):
                with suppress(StoreUnavailable):
                    await self._store.put(key, granted, self._clock())
        finally:
            with suppress(StoreUnavailable):
                await self._store.unlock(key, owner)
        return outcome

    async def _turn(self, key: str, owner: str) -> AccessToken | None:
        """Another process's token, or None when it is for us to fetch: the lock is ours, or its holder too slow."""
        deadline = asyncio.get_running_loop().time() + MAX_WAIT_S
        while True:
            locked = await self._store.lock(key, owner)
            found = await self._store.get(key)
            if found is not None and self._slot(key).worth_adopting(found, self._clock()):
                if locked:
                    await self._store.unlock(key, owner)
                return found
            if locked or asyncio.get_running_loop().time() >= deadline:
                return None
            await asyncio.sleep(POLL_S)

    def _hold(self, key: str, granted: AccessToken | TokenFailure) -> Outcome:
        slot, now_s = self._slot(key), self._clock()
        if isinstance(granted, TokenFailure):
            slot.fail(granted, now_s)
            return granted
        slot.hold(granted, now_s, self._jitter())
        return Token(granted.value, granted.expires_at_s, fetched=True)
