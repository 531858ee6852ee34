"""Places of a worker: who holds how many of them, and who may begin another attempt. No I/O.

An attempt that waits for its host takes a socket and some memory, but no processor. So the places of those that wait
for long are lent to others, up to a limit, and whoever holds many of them gets no more (``policy.pace.shares``): a
tenant is a vendor, or an integration of none, and within a tenant each integration is counted again.

Invariants
* Attempts younger than ``LONG_S`` count against no share: a tenant whose hosts answer may have all places.
* Beyond that a tenant with slow attempts holds at most half of the places that others leave, and an integration at
  most half of what the others of its tenant leave it. As many of its young attempts as it has slow ones are counted
  with them: they are likely to wait as long.
* Of the bytes of documents a tenant holds at most half of what others leave, however young its attempts are.
* Whatever is taken is given back, in whatever order attempts end.
"""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.policy.pace.shares import may_take, share

LONG_S = 0.25
ALL_BYTES = 8 * 2**20
"""Of documents that a worker has in its hands; what is made of one takes up to some thirty times its size."""
FEW_BYTES = ALL_BYTES // 4
"""Up to this nobody is asked for whom they are."""
LENT_TIMES = 3
"""Places that are lent at most, as a multiple of all places."""

SPARE_FILES = 200
"""For Redis, logs, metrics, lookups and ping tests."""

TenantOf = Callable[[str], str | None]
"""The tenant of an integration; None while it is not known here."""


def slots(wanted: int, files: int) -> tuple[int, int]:
    """Attempts at a time, and places of slow ones to lend, of a process that may open so many ``files`` (-1 = any)."""
    if files < 0:
        return wanted, LENT_TIMES * wanted
    room = max(2, files - min(SPARE_FILES, files * 2 // 3))
    concurrency = min(wanted, max(1, room * 5 // 8))
    return concurrency, min(LENT_TIMES * wanted, room - concurrency)


class Holder:
    """Attempts of one tenant that are running. ``slow``: those of them that have waited for long."""

    __slots__ = ("bytes", "running", "slow")

    def __init__(self) -> None:
        self.running = 0
        self.bytes = 0
        """Of the documents of these."""
        self.slow = 0

    @property
    def counted(self) -> int:
        """The part that counts against its share."""
        return self.slow + min(self.slow, self.running - self.slow)


class Occupancy(Holder):
    """The same of one integration."""

    __slots__ = ("fresh", "integration_id", "recent", "tenant", "tenant_known")

    def __init__(self, integration_id: str) -> None:
        super().__init__()
        self.integration_id = integration_id
        self.tenant: Holder = self
        self.tenant_known = False
        self.fresh = 0
        """Begun since the last turn."""
        self.recent = 0
        """Begun in the turn before."""


class Places:
    """One per worker process. Times are seconds of one clock."""

    def __init__(self, places: int, lent: int, tenant_of: TenantOf) -> None:
        self._all = places + lent
        self._most_lent = lent
        self._tenant_of = tenant_of
        self._tenants: dict[str, Holder] = {}
        self._waiting: set[Occupancy] = set()
        """With attempts that run, as of the last turn, or that began since."""
        self._running = 0
        self._slow = 0
        self._bytes = 0
        self._turn = 0
        self._turned_at = float("-inf")

    def learn(self, one: Occupancy) -> None:
        """Have it counted for its tenant, before its first attempt; what is no integration stands for itself."""
        if not one.tenant_known:
            one.tenant_known = True
            name = self._tenant_of(one.integration_id) or one.integration_id
            one.tenant = self._tenants.setdefault(name, Holder())

    def take(self, one: Occupancy, size_bytes: int = 0) -> int | None:
        """Begin an attempt, to be ended with the turn that this returns; None = its share is used up."""
        tenant = one.tenant
        if tenant.slow and not self._has_share(one, tenant):
            return None
        if self._bytes + size_bytes > FEW_BYTES and not may_take(ALL_BYTES, self._bytes - tenant.bytes, tenant.bytes):
            return None
        self._bytes += size_bytes
        tenant.bytes += size_bytes
        if not one.running:
            self._waiting.add(one)
        one.running += 1
        one.fresh += 1
        tenant.running += 1
        self._running += 1
        return self._turn

    def give_back(self, one: Occupancy, turn: int, size_bytes: int = 0) -> None:
        """End an attempt that began in that turn."""
        self._bytes -= size_bytes
        one.tenant.bytes -= size_bytes
        one.running -= 1
        one.tenant.running -= 1
        self._running -= 1
        age = self._turn - turn
        if age == 0:
            one.fresh -= 1
        elif age == 1:
            one.recent -= 1
        else:
            self._add_slow(one, -1)

    def lent(self, now: float) -> int:
        """Places of slow attempts that others may have. Looks at who holds places four times a second."""
        if now - self._turned_at >= LONG_S:
            self._turned_at = now
            self._next_turn()
        return min(self._most_lent, self._slow)

    def _has_share(self, one: Occupancy, tenant: Holder) -> bool:
        others, counted = self._running - tenant.running, tenant.counted
        if not may_take(self._all, others, counted):
            return False
        return may_take(share(self._all, others), counted - one.counted, one.counted)

    def _next_turn(self) -> None:
        self._turn += 1
        for one in list(self._waiting):
            if one.recent:
                self._add_slow(one, one.recent)
            one.recent, one.fresh = one.fresh, 0
            if not one.running:
                self._waiting.discard(one)

    def _add_slow(self, one: Occupancy, by: int) -> None:
        one.slow += by
        one.tenant.slow += by
        self._slow += by
