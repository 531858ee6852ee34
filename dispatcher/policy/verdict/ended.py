"""Problems of integrations that have ended within the last hour: what charts are marked with."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.model.verdict import Ended, Finding, Problem, ProblemKind

MARKED = frozenset({ProblemKind.CIRCUIT_OPEN})
KEPT_MS = 3_600_000
MOST = 30


def ended_lately(before: Iterable[Ended], ended: Iterable[Problem], now_ms: int) -> tuple[Ended, ...]:
    """Newest first: those that are known, and what has ended since."""
    parts = (part for problem in ended for part in problem.finding.parts or (problem.finding,))
    new = [_ended(part, now_ms) for part in parts if part.kind in MARKED and part.integration_id is not None]
    lately = [one for one in before if now_ms - one.until_ms <= KEPT_MS]
    return (*new, *lately)[:MOST]


def _ended(finding: Finding, now_ms: int) -> Ended:
    return Ended(finding.kind, finding.integration_id or "", finding.vendor_id, finding.since_ms, now_ms)
