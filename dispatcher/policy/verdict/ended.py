"""Problems of integrations that have ended within the last hour: what charts are marked with."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.model.troubles import Snapshot
from dispatcher.model.verdict import Ended, Finding, Problem, ProblemKind

MARKED = frozenset({ProblemKind.CIRCUIT_OPEN})
KEPT_MS = 3_600_000
MOST = 30


def ended_lately(before: Iterable[Ended], ended: Iterable[Problem], seen: Snapshot) -> tuple[Ended, ...]:
    """Newest first: those that are known, and what has ended since.

    A circuit that is open behind a pause has not ended: the pause is what is told of its integration.
    """
    now_ms, still_open = seen.at_ms, {lane.integration_id for lane in seen.lanes if lane.circuit_since_ms is not None}
    parts = (part for problem in ended for part in problem.finding.parts or (problem.finding,))
    marked = (one for one in parts if one.kind in MARKED and one.integration_id is not None)
    new = [_ended(one, now_ms) for one in marked if one.integration_id not in still_open]
    lately = [one for one in before if now_ms - one.until_ms <= KEPT_MS]
    return (*new, *lately)[:MOST]


def _ended(finding: Finding, now_ms: int) -> Ended:
    return Ended(finding.kind, finding.integration_id or "", finding.vendor_id, finding.since_ms, now_ms)
