"""Grounds of a verdict: troubled lanes, dead letters by cause, and the state of workers and store.

Values only. Times are epoch ms of the store's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.model.queue import TypePause


@dataclass(frozen=True, slots=True)
class Cause:
    """The cause of failing attempts: an outcome's name, the host's status, and words that name no secret."""

    outcome: str = ""
    http_status: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class PauseFacts:
    """A hold by hand. ``until_ms`` None: it has no end."""

    since_ms: int
    reason: str = ""
    by: str = ""
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TroubledLane:
    """One integration that something is the matter with."""

    integration_id: str
    name: str = ""
    vendor_id: str | None = None
    waiting: int = 0
    """Events that are due, queued behind another, or parked."""
    accounts: int = 0
    parked: int = 0
    oldest_due_ms: int | None = None
    pause: PauseFacts | None = None
    circuit_since_ms: int | None = None
    next_try_ms: int | None = None
    slowed_until_ms: int | None = None
    token_failing_since_ms: int | None = None
    suspended_urls: int = 0
    suspended_since_ms: int | None = None
    attempts: int = 0
    """In the last five minutes, as ``failures``."""
    failures: int = 0
    newest_attempts: int = 0
    """In the newest minute with attempts, as ``newest_failures``."""
    newest_failures: int = 0
    failing_since_ms: int | None = None
    """The first failure since the last attempt that went well."""
    failures_in_a_row: int = 0
    same_in_a_row: int = 0
    """Of these, the last ones of one outcome."""
    cause: Cause = Cause()
    disabled_ms: int | None = None
    """Since when it is disabled, after failing for too long."""


@dataclass(frozen=True, slots=True)
class Issue:
    """Events of one integration that ended DEAD or EXPIRED for one cause and are neither redelivered nor resolved."""

    id: str
    integration_id: str
    error_code: str
    error: str
    count: int
    first_ms: int
    last_ms: int
    acknowledged: bool = False
    name: str = ""
    vendor_id: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline of a deployment that is well; None = nothing was sent lately."""

    per_second: float = 0.0
    first_share: float | None = None
    p99_ms: float | None = None
    oldest_due_ms: int | None = None


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """``silent_since_ms``: since when no worker is heard of, or a partition with open events has no owner."""

    alive: int = 0
    silent_since_ms: int | None = None
    waiting: int = 0
    partitions: int = 0
    """Partitions with open events that nobody owns."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    away_since_ms: int | None = None
    memory_ratio: float = 0.0
    refusing: bool = False
    full_in_ms: int | None = None
    """At the growth of late; None = it does not grow, or has no limit."""
    since_ms: int = 0


@dataclass(frozen=True, slots=True)
class IntegrityFacts:
    """Losses that were noticed, counts that do not agree, repairs."""

    lost_ms: int | None = None
    lost_text: str = ""
    broken_since_ms: int | None = None
    broken_by: int = 0
    repairs: int = 0
    repaired_ms: int | None = None


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """Events on their way, beside those of troubled lanes."""

    overdue: int = 0
    overdue_since_ms: int | None = None
    backlog: int = 0
    growing_since_ms: int | None = None
    drain_ms: int | None = None
    emits: int = 0
    """Of the last minute, as ``emits_failed``."""
    emits_failed: int = 0
    accepted: int = 0
    """In the last five minutes."""
    died: int = 0
    """In the last ten minutes, as ``refused``: the host's own no."""
    refused: int = 0
    refused_usually: float = 0.0


@dataclass(frozen=True, slots=True)
class ProbeFacts:
    """Scheduled pings of one integration, and the certificate that they met."""

    integration_id: str
    name: str = ""
    vendor_id: str | None = None
    failed_in_a_row: int = 0
    since_ms: int = 0
    words: str = ""
    certificate_ends_ms: int | None = None


@dataclass(frozen=True, slots=True)
class StuckJob:
    """A redelivery that makes no progress, or an installation that an update holds."""

    id: str
    since_ms: int
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class SetAside:
    """Entries of one source that intake set aside, as it counted last. ``reason``: of the newest that it knows."""

    source: str
    entries: int
    since_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UpkeepFacts:
    clock_skew_ms: int = 0
    stale_values: int = 0
    updates: int = 0
    oldest_update: StuckJob | None = None
    redeliveries: tuple[StuckJob, ...] = ()
    operations_failing_since_ms: int | None = None
    operations_waiting: int = 0
    archive_away: str = ""
    archive_away_since_ms: int | None = None
    set_aside: tuple[SetAside, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one moment."""

    at_ms: int
    figures: Figures = Figures()
    lanes: tuple[TroubledLane, ...] = ()
    issues: tuple[Issue, ...] = ()
    workers: WorkerFacts = WorkerFacts()
    store: StoreFacts = StoreFacts()
    integrity: IntegrityFacts = IntegrityFacts()
    flow: FlowFacts = FlowFacts()
    probes: tuple[ProbeFacts, ...] = ()
    upkeep: UpkeepFacts = UpkeepFacts()
    paused_types: tuple[TypePause, ...] = ()
    disable_after_ms: int | None = field(default=None)
    """Time of failing after which an integration is disabled; None = never."""
