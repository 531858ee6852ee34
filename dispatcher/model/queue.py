"""Answers of the queue: receipts, pages, explanations, overviews. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.model.term import Term


class Accepted(NamedTuple):
    """The receipt of one accepted event. ``replayed``: it had been accepted before."""

    id: str
    sequence: int
    created_ms: int
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event and where it stands."""

    event: Event
    state: EventState


class Reason(StrEnum):
    """The reason why an event is where it is; each has one sentence in ``flow/explain.py``."""

    DELIVERED = "delivered"
    REFUSED = "refused_by_host"
    DEAD = "attempts_used_up"
    EXPIRED = "no_result_in_time"
    SKIPPED = "no_url_configured"
    FILTERED = "filtered"
    RESOLVED = "resolved_by_hand"
    IN_FLIGHT = "in_flight"
    BEHIND = "behind_event"
    RETRY_PLANNED = "retry_planned"
    PUT_OFF = "put_off"
    AWAITING_RESULT = "awaiting_result"
    PAUSED = "paused"
    TYPE_PAUSED = "type_paused"
    CIRCUIT_OPEN = "circuit_open"
    SLOWED_DOWN = "slowed_down_by_host"
    SHARE_USED = "share_of_worker_used"
    RATE_LIMITED = "rate_limited"
    CONCURRENCY = "concurrency_cap"
    URL_SUSPENDED = "url_suspended"
    URL_HALF_OPEN = "url_half_open"
    UPDATE_IN_PROGRESS = "update_in_progress"
    CREDENTIALS_REFUSED = "credentials_refused"
    NO_WORKER = "no_worker"
    READY = "ready"


INTEGRATION_DELETED = "its integration was deleted"
"""Message of events that end with it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The reason why an event waits, or its end. ``until_ms``: when that reason ends, if known."""

    status: Status
    reason: Reason
    until_ms: int | None = None
    blocked_by: str | None = None
    detail: str | None = None
    cause: Explanation | None = None
    """Why the event waits that this one is behind."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """All given conditions must hold. Times are epoch ms, ``from_ms`` included, ``to_ms`` not.

    Without ``types``, SUBSCRIPTION_STATUS and OPERATIONAL are left out: they report on other events.
    """

    statuses: frozenset[Status] = frozenset()
    types: frozenset[EventType] = frozenset()
    product_id: str | None = None
    account_id: str | None = None
    integration_id: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    vendor_id: str | None = None
    """The vendor whose events these are; ``lanes`` then holds its integrations, as of now."""
    lanes: frozenset[str] | None = None
    """Only these integrations; None = all."""
    terms: tuple[Term, ...] = ()
    """All that the fields above cannot say."""


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. ``next_cursor`` None = there is no more."""

    items: list[StoredEvent]
    next_cursor: str | None
    searched_to_ms: int | None = None
    """The search ended before the page was full: it came down to here. None = it did not."""


@dataclass(frozen=True, slots=True)
class Count:
    """``searched_to_ms`` None = there are exactly so many; else at least so many: it was counted down to here."""

    matched: int
    searched_to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A hold by hand: by whom, why, and when it ends by itself; None = when somebody resumes it."""

    by: str = ""
    reason: str = ""
    until_ms: int | None = None


UNSAID = Pause()
"""Of a pause about which nothing is known, and of a lane without one."""


@dataclass(frozen=True, slots=True)
class TypePause:
    """A hold on the events of one type, whosever they are."""

    kind: EventType
    pause: Pause
    since_ms: int


@dataclass(frozen=True, slots=True)
class LaneView:
    """One integration's waiting work."""

    integration_id: str
    partition: int
    ready: int
    scheduled: int
    waiting: int
    in_flight: int
    parked: int
    concurrency: int | None
    oldest_ready_ms: int | None
    next_due_ms: int | None
    paused: bool
    circuit_open_until_ms: int | None
    slowed_until_ms: int | None
    token_failing_since_ms: int | None = None
    suspended_urls: tuple[str, ...] = ()
    paused_since_ms: int | None = None
    pause: Pause = UNSAID


@dataclass(frozen=True, slots=True)
class PartitionView:
    partition: int
    owner: str | None
    generation: int
    lease_until_ms: int
    ready: int
    scheduled: int
    waiting: int
    in_flight: int
    awaiting: int
    open: int


WORKER_ALIVE_MS = 5_000
"""A worker that nobody heard of for longer than this is silent: it counts as dead for whoever asks."""
WORKER_FORGOTTEN_MS = 60_000
"""A silent worker is still shown for this long."""


@dataclass(frozen=True, slots=True)
class WorkerView:
    worker_id: str
    last_seen_ms: int
    host: str
    pid: int
    partitions: tuple[int, ...]
    in_flight: int


@dataclass(frozen=True, slots=True)
class QueueOverview:
    """The whole queue at one moment; ``lanes`` holds the busiest, most waiting work first.

    ready: due now; waiting: behind another event of its account, or parked; scheduled: due later;
    in_flight: claimed; awaiting: answered 202.
    """

    now_ms: int
    ready: int
    waiting: int
    scheduled: int
    in_flight: int
    awaiting: int
    dead_letters: int
    oldest_ready_s: float
    circuits_open: int
    partitions: list[PartitionView]
    lanes: list[LaneView]
    workers: list[WorkerView]
    """Those that are alive."""
    silent_workers: list[WorkerView] = field(default_factory=list)
    """Those that neither stopped in order nor say any more that they live."""
    oldest_paused_s: float = 0.0
    """As ``oldest_ready_s``, which leaves them out, of events whose integration is paused."""


@dataclass(frozen=True, slots=True)
class Change:
    """One status change, as the stream tells it. ``id`` orders and resumes the stream."""

    id: str
    event_id: str
    status: Status
    type: EventType
    integration_id: str
    account_id: str | None
    at_ms: int
    attempt: int = 0
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class RecountReport:
    """A recount. ``broken``: event id → what is wrong with it; empty = nothing lost."""

    accepted: int
    terminal: int
    open: int
    broken: dict[str, str] = field(default_factory=dict)
    failed: int = 0
    """Of those that ended: DEAD, FAILED and EXPIRED ones that are kept."""

    @property
    def well(self) -> bool:
        return not self.broken and self.accepted == self.terminal + self.open
