"""News for operators when a verdict follows another: what opened and ended, and integrations on their way out.

Kinds that have operational events of their own, from whoever causes them, are not told twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.model.operational import OperationalEvent, OperationalKind
from dispatcher.model.troubles import Snapshot, TroubledLane
from dispatcher.model.verdict import Problem, ProblemKind, Severity, Verdict
from dispatcher.policy.verdict.lanes import FAILING_IN_A_ROW

STAGES = (50, 70, 90)
"""Percent of the way to being disabled."""
TOLD_ELSEWHERE = frozenset(
    {
        ProblemKind.CIRCUIT_OPEN,
        ProblemKind.CREDENTIALS_FAILING,
        ProblemKind.URL_SUSPENDED,
        ProblemKind.DEAD_LETTERS,
        ProblemKind.PAUSED,
        ProblemKind.OPERATIONS_FAILING,
    }
)


def news(previous: Verdict | None, said: Verdict, seen: Snapshot) -> Iterator[OperationalEvent]:
    """In the order of the problems; what was open when nobody had judged yet is news, too."""
    before = {problem.id: problem for problem in previous.problems} if previous else {}
    now = {problem.id: problem for problem in said.problems}
    for key, problem in now.items():
        if key not in before:
            yield from _told(problem, said.at_ms, opened=True)
    for key, problem in before.items():
        if key not in now:
            yield from _told(problem, said.at_ms, opened=False)
    if seen.disable_after_ms:
        yield from _stages(previous, seen, seen.disable_after_ms)


def _told(problem: Problem, now_ms: int, *, opened: bool) -> Iterator[OperationalEvent]:
    finding = problem.finding
    if finding.kind is ProblemKind.INTEGRATION_DISABLED:
        if not finding.topic:
            kind = OperationalKind.INTEGRATION_DISABLED if opened else OperationalKind.INTEGRATION_ENABLED
            yield OperationalEvent(
                kind, finding.integration_id, now_ms, detail={"text": finding.text} if opened else {}
            )
        return
    joined = finding.integration_id is None and finding.cause
    if finding.severity is Severity.INFO and finding.kind is not ProblemKind.PROBE_FAILED:
        return
    if finding.kind in TOLD_ELSEWHERE and not joined:
        return
    kind = OperationalKind.PROBLEM_OPENED if opened else OperationalKind.PROBLEM_ENDED
    detail = {"problem": problem.id, "kind": finding.kind.value, "severity": finding.severity.value}
    text = {"text": finding.text} if opened else {}
    yield OperationalEvent(kind, finding.integration_id, now_ms, detail=detail | text, topic=problem.id)


def _stages(previous: Verdict | None, seen: Snapshot, after_ms: int) -> Iterator[OperationalEvent]:
    """Each stage that was passed since ``previous``, however many those are; and the last one that was passed before,
    where it could not be told then: too few attempts had failed, or the integration was paused.
    """
    warned = _warned(previous)
    for lane in seen.lanes:
        if lane.failures_in_a_row < FAILING_IN_A_ROW or lane.disabled_ms is not None or lane.pause is not None:
            continue
        before = _stage(lane, previous.at_ms, after_ms) if previous else 0
        told = before if warned is None or lane.integration_id in warned else before - 1
        for stage in STAGES:
            if told < stage <= _stage(lane, seen.at_ms, after_ms):
                detail: dict[str, str | int | None] = {"percent": stage, "errorCode": lane.cause.outcome}
                detail["error"] = lane.cause.words
                yield OperationalEvent(
                    OperationalKind.INTEGRATION_FAILING, lane.integration_id, seen.at_ms, detail=detail
                )


def _warned(previous: Verdict | None) -> frozenset[str | None] | None:
    """Integrations that were on their way out already; None = not all of them are listed, and all are taken for it."""
    if previous is None:
        return frozenset()
    if previous.uncounted:
        return None
    found = [problem.finding for problem in previous.problems]
    return frozenset(one.integration_id for one in found if one.kind is ProblemKind.INTEGRATION_DISABLED and one.topic)


def _stage(lane: TroubledLane, at_ms: int, after_ms: int) -> int:
    """The last of ``STAGES`` that it has passed; 0 = none."""
    gone = 100 * (at_ms - (lane.failing_since_ms or at_ms)) / after_ms
    return max((stage for stage in STAGES if gone >= stage), default=0)
