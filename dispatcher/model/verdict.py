"""The verdict on the whole deployment: what needs somebody, since when, and what mends it. Values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.model.troubles import Issue


class Severity(StrEnum):
    """``page``: somebody is woken; ``act``: somebody has to act today; ``info``: good to know."""

    PAGE = "page"
    ACT = "act"
    INFO = "info"


class ProblemKind(StrEnum):
    """Each has one rule in ``policy/verdict`` and one row in docs/operations.md."""

    STORE_AWAY = "store_away"
    NO_WORKER = "no_worker"
    DATA_LOSS = "data_loss"
    AUDIT_BROKEN = "audit_broken"
    REPAIRED = "repaired"
    STORE_PRESSURE = "store_pressure"
    ACCEPT_FAILING = "accept_failing"
    OVERDUE = "overdue"
    BACKLOG = "backlog"
    CIRCUIT_OPEN = "circuit_open"
    FAILING = "failing"
    CREDENTIALS_FAILING = "credentials_failing"
    URL_SUSPENDED = "url_suspended"
    INTEGRATION_DISABLED = "integration_disabled"
    DEAD_LETTERS = "dead_letters"
    PAUSED = "paused"
    SLOWED = "slowed"
    PROBE_FAILED = "probe_failed"
    CERTIFICATE = "certificate"
    CLOCK = "clock"
    KEYS_STALE = "keys_stale"
    UPDATE_LOCKED = "update_locked"
    REDELIVERY_STUCK = "redelivery_stuck"
    OPERATIONS_FAILING = "operations_failing"
    ARCHIVE_AWAY = "archive_away"
    INTAKE_POISON = "intake_poison"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do about a problem: a line for a shell, and the request that does the same, if there is one.

    ``command`` runs as it is, unless ``is_advice``: words for what no command of ours does.
    """

    name: str
    command: str
    method: str | None = None
    path: str | None = None
    body: Mapping[str, str] | None = None
    is_advice: bool = False


@dataclass(frozen=True, slots=True)
class VendorTally:
    """The number of problems of one vendor that are not listed, of one kind and severity."""

    vendor_id: str
    kind: ProblemKind
    severity: Severity
    count: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that holds at this moment. ``cause`` joins those of several integrations."""

    kind: ProblemKind
    severity: Severity
    text: str
    since_ms: int
    integration_id: str | None = None
    vendor_id: str | None = None
    waiting: int | None = None
    actions: tuple[Action, ...] = ()
    cause: str = ""
    """In the plural, as several integrations are said to fail."""
    topic: str = ""
    """Tells findings of one kind and integration apart."""
    parts: tuple[Finding, ...] = ()
    """Of one that joins several: those that it stands for, each for its own vendor."""
    unlisted: tuple[VendorTally, ...] = ()
    """Those that it stands for beside its parts."""

    @property
    def id(self) -> str:
        return ":".join(part for part in (self.kind.value, self.integration_id, self.topic) if part)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody knows of it: it wakes nobody until it has ended."""

    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A fact that somebody is told of until it has not held for a while."""

    finding: Finding
    held_ms: int
    """The last moment at which it held."""
    openings_ms: tuple[int, ...] = ()
    """Moments of the last ten minutes at which it opened."""
    acknowledged: Acknowledgement | None = None

    @property
    def id(self) -> str:
        return self.finding.id

    @property
    def severity(self) -> Severity:
        return Severity.INFO if self.acknowledged else self.finding.severity


@dataclass(frozen=True, slots=True)
class Ended:
    """A problem that is none any more. ``integration_id`` empty = it was of the whole fleet."""

    kind: ProblemKind
    integration_id: str
    vendor_id: str | None
    since_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of problems of one kind and severity."""

    kind: ProblemKind
    severity: Severity
    count: int


def tallied(problems: Iterable[Problem]) -> tuple[Tally, ...]:
    counts = Counter((problem.finding.kind, problem.severity) for problem in problems)
    return tuple(Tally(kind, severity, n) for (kind, severity), n in counts.items())


@dataclass(frozen=True, slots=True)
class Verdict:
    """``problems``: what needs somebody first. ``remembered``: what has ended and may come back."""

    at_ms: int
    text: str
    problems: tuple[Problem, ...] = ()
    uncounted: int = 0
    """Problems beyond those that are listed."""
    remembered: tuple[Problem, ...] = ()
    issues: tuple[Issue, ...] = ()
    counts: tuple[Tally, ...] = ()
    """All problems, also those that are not listed."""
    unlisted: tuple[VendorTally, ...] = ()
    """Vendors' problems that are not listed."""
    ended: tuple[Ended, ...] = ()
    """Within the last hour, newest first."""

    @property
    def ok(self) -> bool:
        return not any(tally.count for tally in self.counts if tally.severity is not Severity.INFO)
