"""A run: events of one account that one claim handed out, to be sent one after the other. No I/O.

Its head is due, and claimed like any event; the others follow it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claimed, Followers, Settlement

RUN_S = 0.25

_TAKEN = frozenset((Status.SUCCEEDED, Status.SKIPPED))


class Run:
    """The followers of a head that was claimed. ``until``: when it ends, in seconds of the steady clock."""

    __slots__ = ("_to_send", "_unread", "until")

    def __init__(self, followers: Followers, until: float) -> None:
        self._to_send = deque(followers.events)
        self._unread = followers.unread
        self.until = until

    def __iter__(self) -> Iterator[Claimed]:
        """All that has not begun."""
        yield from (*self._to_send, *self._unread)

    def next_after(self, before: Settlement) -> Claimed | None:
        """The one to begin once ``before`` has ended, with what that taught of the account; None = the run ends."""
        if before.to not in _TAKEN or not self._to_send or _is_for_the_store(before):
            return None
        return self._to_send.popleft()._replace(account_identifier=_known_after(before))


def _known_after(before: Settlement) -> str | None:
    """The host's name for the account, as the store has it once ``before`` is settled: an order's, or the first."""
    claimed, answered = before.claimed, before.account_identifier
    if answered and (claimed.account_identifier is None or claimed.event.type is EventType.SUBSCRIPTION_ORDER):
        return answered
    return claimed.account_identifier


def _is_for_the_store(before: Settlement) -> bool:
    """An installation that another's name was known for has one of its own now, unless it had: only the store knows."""
    known, answered = before.claimed.account_identifier, before.account_identifier
    return before.claimed.event.subscription_id is not None and answered is not None and known not in (None, answered)
