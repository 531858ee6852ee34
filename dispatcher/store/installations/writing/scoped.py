"""A store as somebody sees it: within a reach, and with changes noted. Reads and writes nothing itself."""

from __future__ import annotations

import copy
from typing import Self

from redis.asyncio import Redis

from dispatcher.policy.installing.marketplace_access import Reach
from dispatcher.store.audit_log.log import Noting


class ScopedStore:
    """Records; one out of reach reads as absent. With ``noting``, changes are in the audit log as well."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reach = Reach()
        self._noting: Noting | None = None

    def within(self, reach: Reach) -> Self:
        """The same store as somebody with that reach sees it."""
        view = copy.copy(self)
        view._reach = reach  # noqa: SLF001 - of its own kind
        return view

    def noted(self, noting: Noting) -> Self:
        """The same store; each change is written to the audit log in the same step."""
        view = copy.copy(self)
        view._noting = noting  # noqa: SLF001 - of its own kind
        return view
