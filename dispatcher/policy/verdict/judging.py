"""Judges a snapshot beside the verdict before it: what opened, what goes on, what has ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dispatcher.model.troubles import Figures, Snapshot
from dispatcher.model.verdict import Acknowledgement, Finding, Problem, ProblemKind, Severity, Tally, Verdict, tallied
from dispatcher.policy.verdict.causes import joined
from dispatcher.policy.verdict.ended import ended_lately
from dispatcher.policy.verdict.fleet import store_is_away
from dispatcher.policy.verdict.letters import dead_letters_of
from dispatcher.policy.verdict.rules import ENDS_AT_ONCE, findings
from dispatcher.policy.verdict.vendors import of_vendor, unlisted
from dispatcher.policy.verdict.words import lasted, moment, number

MOST_PROBLEMS = 200
CLOSES_AFTER_MS = 60_000
FLAPPING_OPENINGS, FLAPPING_MS = 3, 600_000

BY_HAND = frozenset({ProblemKind.PAUSED})
"""Begun and ended by people, however often: never one that comes and goes."""

SHRINKS = frozenset({ProblemKind.DEAD_LETTERS})
"""Begins later once the oldest of what it counts is gone."""

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


def verdict(seen: Snapshot, previous: Verdict | None, now_ms: int) -> Verdict:
    """The verdict on ``seen``. What ``previous`` knows is carried on: since when, how often, who knows of it."""
    before = {problem.id: problem for problem in (*previous.problems, *previous.remembered)} if previous else {}
    open_before = {problem.id for problem in previous.problems} if previous else set()
    holding = {finding.id: finding for finding in joined(findings(seen), now_ms)}
    problems = [_held(finding, before.get(key), key in open_before, now_ms) for key, finding in holding.items()]
    ended: list[Problem] = []
    for key, problem in before.items():
        if key not in holding:
            (problems if key in open_before and _lasts(problem, now_ms) else ended).append(problem)
    problems.sort(key=order)
    closed = [problem for problem in ended if problem.id in open_before]
    return Verdict(
        now_ms,
        headline(problems, seen.figures, now_ms),
        tuple(problems[:MOST_PROBLEMS]),
        max(0, len(problems) - MOST_PROBLEMS),
        tuple(forgetful(ended, now_ms)),
        seen.issues,
        tallied(problems),
        unlisted(problems[:MOST_PROBLEMS], problems[MOST_PROBLEMS:]),
        ended_lately(previous.ended if previous else (), closed, seen),
    )


def acknowledged(said: Verdict, known: Mapping[str, Acknowledgement]) -> Verdict:
    """``said`` with what people know of its problems."""
    problems = tuple(replace(problem, acknowledged=known.get(problem.id)) for problem in said.problems)
    return replace(said, problems=problems, counts=tallied(problems))


def _held(finding: Finding, before: Problem | None, was_open: bool, now_ms: int) -> Problem:
    openings = tuple(at for at in before.openings_ms if now_ms - at < FLAPPING_MS) if before else ()
    if not was_open:
        openings = (*openings, now_ms)
    if before is None or not was_open:
        return Problem(_flapping(finding, openings, now_ms), now_ms, openings)
    since_ms = finding.since_ms if finding.kind in SHRINKS else min(finding.since_ms, before.finding.since_ms)
    return Problem(
        _flapping(replace(finding, since_ms=since_ms), openings, now_ms), now_ms, openings, before.acknowledged
    )


def _flapping(finding: Finding, openings: Sequence[int], now_ms: int) -> Finding:
    if len(openings) < FLAPPING_OPENINGS or finding.kind in BY_HAND:
        return finding
    text = f"{finding.text.rstrip('.')}; it comes and goes, {len(openings)} times since {moment(openings[0], now_ms)}."
    return replace(finding, text=text, since_ms=min(finding.since_ms, openings[0]))


def _lasts(problem: Problem, now_ms: int) -> bool:
    """A problem that does not hold stays open for a while, one that comes and goes for longer."""
    kind = problem.finding.kind
    lately = [at for at in problem.openings_ms if now_ms - at < FLAPPING_MS]
    if len(lately) >= FLAPPING_OPENINGS and kind not in BY_HAND:
        return True
    return kind not in ENDS_AT_ONCE and now_ms - problem.held_ms < CLOSES_AFTER_MS


def forgetful(ended: Sequence[Problem], now_ms: int) -> list[Problem]:
    """Those of the last minutes, which may come back."""
    lately = [problem for problem in ended if problem.openings_ms and now_ms - problem.openings_ms[-1] < FLAPPING_MS]
    return sorted(lately, key=lambda problem: -problem.held_ms)[:MOST_PROBLEMS]


def order(problem: Problem) -> tuple[int, bool, int, int, str]:
    """Severity; the fleet before an integration; what more waits for; what is older."""
    finding = problem.finding
    alone = finding.integration_id is not None
    return _RANKS[problem.severity], alone, -(finding.waiting or 0), finding.since_ms, problem.id


def headline(problems: Sequence[Problem], figures: Figures, now_ms: int) -> str:
    """One sentence: what needs somebody first, or that all is well."""
    urgent = [problem for problem in problems if problem.severity is not Severity.INFO]
    if not urgent:
        return all_is_well(figures, now_ms)
    return first_of(urgent, len(urgent) - 1)


def first_of(urgent: Sequence[Problem], more: int) -> str:
    """The first problem, and how many more there are."""
    rest = f" {number(more, 'more problem needs', 'more problems need')} somebody." if more else ""
    return urgent[0].finding.text + rest


def all_is_well(figures: Figures, now_ms: int) -> str:
    """``All is well: 212/s, 99.4 % at the first attempt, p99 17 ms, oldest due 0.2 s.``"""
    parts = [f"{figures.per_second:.0f}/s" if figures.per_second >= 10 else f"{figures.per_second:.1f}/s"]
    if figures.first_share is not None:
        parts.append(f"{_share(figures.first_share)} % at the first attempt")
    if figures.p99_ms is not None:
        parts.append(f"p99 {lasted(figures.p99_ms)}")
    late_ms = 0 if figures.oldest_due_ms is None else max(0, now_ms - figures.oldest_due_ms)
    parts.append(f"oldest due {late_ms / 1000:.1f} s")
    return f"All is well: {', '.join(parts)}."


def _share(share: float) -> str:
    """Never ``100`` of what is not all."""
    return "100" if share >= 1 else f"{min(share * 100, 99.9):.1f}"


def away(known: Verdict | None, since_ms: int, now_ms: int) -> Verdict:
    """The verdict from memory while the store is away."""
    problem = Problem(store_is_away(since_ms, now_ms), now_ms, (since_ms,))
    others = [one for one in known.problems if one.finding.kind is not ProblemKind.STORE_AWAY] if known else []
    problems = sorted([problem, *others], key=order)[:MOST_PROBLEMS]
    uncounted = known.uncounted if known else 0
    text = headline(problems, Figures(), now_ms)
    return Verdict(now_ms, text, tuple(problems), uncounted, counts=tallied(problems))


def narrowed(known: Verdict, vendor_id: str) -> Verdict:
    """The part that is one vendor's: its integrations', and its dead letters. Nothing of the fleet is told."""
    problems = of_vendor(known.problems, vendor_id)
    issues = tuple(one for one in known.issues if one.vendor_id == vendor_id)
    if (letters := dead_letters_of(issues, 0, known.at_ms)) is not None:
        problems.append(Problem(letters, known.at_ms))
    problems.sort(key=order)
    others = tuple(Tally(one.kind, one.severity, one.count) for one in known.unlisted if one.vendor_id == vendor_id)
    return Verdict(
        known.at_ms,
        _vendors_headline(problems, others),
        tuple(problems),
        sum(one.count for one in others),
        issues=issues,
        counts=(*tallied(problems), *others),
        ended=tuple(one for one in known.ended if one.vendor_id == vendor_id),
    )


def _vendors_headline(listed: Sequence[Problem], others: Sequence[Tally]) -> str:
    """``others``: problems that are not listed."""
    urgent = [one for one in listed if one.severity is not Severity.INFO]
    more = sum(one.count for one in others if one.severity is not Severity.INFO)
    if urgent:
        return first_of(urgent, len(urgent) - 1 + more)
    if more:
        return f"{number(more, 'problem needs', 'problems need')} somebody, too many to be listed: look at your queue."
    return "All is well with your integrations."
