"""Rule about dead letters: events that ended without having been delivered, counted by cause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispatcher.model.troubles import Issue, Snapshot
from dispatcher.model.verdict import Finding, ProblemKind, Severity
from dispatcher.policy.verdict import actions
from dispatcher.policy.verdict.words import called, moment, number

MANY_DIED = 50
"""Within ten minutes."""
REFUSED_TIMES, LEAST_REFUSED = 5.0, 20

DEAD_LETTERS = ProblemKind.DEAD_LETTERS


def dead_letters(seen: Snapshot) -> Iterator[Finding]:
    died = dead_letters_of(seen.issues, seen.flow.died, seen.at_ms)
    if died is not None:
        yield died
    flow = seen.flow
    if flow.refused >= LEAST_REFUSED and flow.refused >= REFUSED_TIMES * flow.refused_usually:
        usual = f"usually {flow.refused_usually:.0f}"
        text = (
            f"Hosts refused {number(flow.refused, 'event')} in the last 10 min, {usual}: their own no, nothing is lost."
        )
        yield Finding(DEAD_LETTERS, Severity.INFO, text, seen.at_ms - 600_000, topic="refused")


def dead_letters_of(issues: Sequence[Issue], died: int, now_ms: int) -> Finding | None:
    """The finding of these issues; ``died``: in the last ten minutes."""
    left = sorted((one for one in issues if not one.acknowledged), key=lambda one: (-one.count, one.first_ms))
    if not left:
        return None
    count, first_ms, most = sum(one.count for one in left), min(one.first_ms for one in left), left[0]
    host = f"{called(most.name, most.integration_id)}, {most.error or most.error_code}"
    share = f"all of one cause: {host}" if len(left) == 1 else f"{most.count:,} of one cause: {host}"
    text = f"{count:,} died since {moment(first_ms, now_ms)}, {share.rstrip('.')}."
    severity = Severity.PAGE if died >= MANY_DIED else Severity.ACT
    remedies = actions.redeliver(count), actions.acknowledge(DEAD_LETTERS.value)
    return Finding(DEAD_LETTERS, severity, text, first_ms, waiting=count, actions=remedies)
