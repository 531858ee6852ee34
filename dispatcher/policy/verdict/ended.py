"""Problems that have ended within the last hour: what the overview tells of, and charts are marked with."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.model.troubles import Snapshot, TroubledLane
from dispatcher.model.verdict import Ended, Finding, Problem, ProblemKind, Severity

KEPT = frozenset(
    {
        *(ProblemKind.STORE_AWAY, ProblemKind.NO_WORKER, ProblemKind.STORE_PRESSURE, ProblemKind.ACCEPT_FAILING),
        *(ProblemKind.OVERDUE, ProblemKind.BACKLOG, ProblemKind.CIRCUIT_OPEN, ProblemKind.FAILING),
        *(ProblemKind.CREDENTIALS_FAILING, ProblemKind.URL_SUSPENDED, ProblemKind.INTEGRATION_DISABLED),
    }
)
"""Others end by somebody's hand, or say nothing of deliveries."""
KEPT_MS = 3_600_000
MOST = 30


def ended_lately(before: Iterable[Ended], ended: Iterable[Problem], seen: Snapshot) -> tuple[Ended, ...]:
    """Newest first: those that are known, and what has ended since."""
    now_ms = seen.at_ms
    parts = (part for problem in ended for part in problem.finding.parts or (problem.finding,))
    kept = (one for one in parts if one.kind in KEPT and one.severity is not Severity.INFO)
    still = {lane.integration_id: lane for lane in seen.lanes}
    new = [_ended(one, now_ms) for one in kept if not _is_hidden(one, still.get(one.integration_id or ""))]
    lately = [one for one in before if now_ms - one.until_ms <= KEPT_MS]
    return (*new, *lately)[:MOST]


def _is_hidden(finding: Finding, lane: TroubledLane | None) -> bool:
    """A problem behind a pause has not ended: of its integration the pause alone is told."""
    if lane is None:
        return False
    if finding.kind is ProblemKind.CIRCUIT_OPEN:
        return lane.circuit_since_ms is not None
    return lane.pause is not None


def _ended(finding: Finding, now_ms: int) -> Ended:
    return Ended(finding.kind, finding.integration_id or "", finding.vendor_id, finding.since_ms, now_ms)
