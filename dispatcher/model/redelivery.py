"""Bulk jobs over everything that a filter finds: redeliver, deliver now, resolve. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from dispatcher.model.queue import EventFilter


class BulkAction(StrEnum):
    """Done to each event of a job."""

    REDELIVER = "redeliver"
    DELIVER_NOW = "deliver-now"
    RESOLVE = "resolve"


class RedeliveryState(StrEnum):
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Redelivery:
    """One bulk job. ``done``, ``skipped`` and ``failed`` add up to the events that were handled.

    ``skipped``: events for which there was nothing to do any more when their turn came; ``failed``: those refused.
    """

    id: str
    condition: EventFilter
    state: RedeliveryState = RedeliveryState.RUNNING
    total: int = 0
    """Matches as counted before it began; once ``listed``, all that were found."""
    done: int = 0
    skipped: int = 0
    failed: int = 0
    cursor: str = ""
    listed: bool = False
    """Every event that meets the condition was found; the oldest are handled first."""
    found: int = 0
    client_id: str = ""
    """Author of the request, who has to keep the right to it; empty = the deployment itself."""
    action: BulkAction = BulkAction.REDELIVER
    asked: dict[str, Any] = field(default_factory=dict)
    """The filter in the words in which it was asked for."""
    rate_per_s: float | None = None
    """Events a second; None = as fast as the integrations themselves allow."""
    next_ms: float = 0.0
    """Time from which the next event may be handled, of a job with a rate."""
    started_ms: int = 0
    """The cut-off: what was accepted, or came to its status, later is left alone. 0 = not begun."""
    ended_ms: int | None = None

    @property
    def handled(self) -> int:
        return self.done + self.skipped + self.failed


class ItemOutcome(StrEnum):
    """The end that one event of a job came to."""

    DONE = "DONE"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


class Item(NamedTuple):
    """One event of a job. ``code``: of the error that it was refused with."""

    event_id: str
    outcome: ItemOutcome
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Events that meet a condition. ``exact`` False = counting ended early: there are more."""

    matched: int
    exact: bool
    by_status: dict[str, int]
    by_integration: dict[str, int]
    oldest_ms: int | None = None
    """Acceptance of the oldest of them; None = there is none."""
