"""Every kind of problem with its rule, and how it ends. A test walks the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dispatcher.model.troubles import Snapshot
from dispatcher.model.verdict import Finding, ProblemKind
from dispatcher.policy.verdict import fleet, lanes, letters, upkeep

Rule = Callable[[Snapshot], Iterator[Finding]]

RULES: dict[ProblemKind, Rule] = {
    ProblemKind.STORE_AWAY: fleet.store_away,
    ProblemKind.NO_WORKER: fleet.no_worker,
    ProblemKind.DATA_LOSS: fleet.data_loss,
    ProblemKind.AUDIT_BROKEN: fleet.audit_broken,
    ProblemKind.REPAIRED: fleet.repaired,
    ProblemKind.STORE_PRESSURE: fleet.store_pressure,
    ProblemKind.ACCEPT_FAILING: fleet.accept_failing,
    ProblemKind.OVERDUE: fleet.overdue,
    ProblemKind.BACKLOG: fleet.backlog,
    ProblemKind.CIRCUIT_OPEN: lanes.circuit_open,
    ProblemKind.FAILING: lanes.failing,
    ProblemKind.CREDENTIALS_FAILING: lanes.credentials_failing,
    ProblemKind.URL_SUSPENDED: lanes.url_suspended,
    ProblemKind.INTEGRATION_DISABLED: lanes.integration_disabled,
    ProblemKind.DEAD_LETTERS: letters.dead_letters,
    ProblemKind.PAUSED: lanes.paused,
    ProblemKind.SLOWED: lanes.slowed,
    ProblemKind.PROBE_FAILED: upkeep.probe_failed,
    ProblemKind.CERTIFICATE: upkeep.certificate,
    ProblemKind.CLOCK: upkeep.clock,
    ProblemKind.KEYS_STALE: upkeep.keys_stale,
    ProblemKind.UPDATE_LOCKED: upkeep.update_locked,
    ProblemKind.REDELIVERY_STUCK: upkeep.redelivery_stuck,
    ProblemKind.OPERATIONS_FAILING: upkeep.operations_failing,
    ProblemKind.ARCHIVE_AWAY: upkeep.archive_away,
    ProblemKind.INTAKE_POISON: upkeep.intake_poison,
}

ENDS_AT_ONCE: frozenset[ProblemKind] = frozenset(
    {
        ProblemKind.CIRCUIT_OPEN,
        ProblemKind.URL_SUSPENDED,
        ProblemKind.INTEGRATION_DISABLED,
        ProblemKind.DEAD_LETTERS,
        ProblemKind.PAUSED,
        ProblemKind.UPDATE_LOCKED,
        ProblemKind.INTAKE_POISON,
    }
)
"""Ended by a delivered attempt or by a person's act, so that one look is proof; all others stay open for a while."""


def findings(seen: Snapshot) -> list[Finding]:
    """All that holds now."""
    return [finding for rule in RULES.values() for finding in rule(seen)]
