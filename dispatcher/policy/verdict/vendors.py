"""The part of a verdict that is one vendor's, with a count of its problems that the verdict does not list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from dispatcher.model.verdict import Finding, Problem, ProblemKind, Severity, VendorTally

MOST_TALLIES = 2_000
"""Kept of the vendors with most unlisted problems; some 100 KB of the verdict."""

Counted = tuple[str, ProblemKind, Severity]


def counted(findings: Iterable[Finding]) -> tuple[VendorTally, ...]:
    """Findings of integrations, by vendor."""
    return _tallies(Counter((one.vendor_id, one.kind, one.severity) for one in findings if one.vendor_id is not None))


def unlisted(listed: Iterable[Problem], others: Iterable[Problem]) -> tuple[VendorTally, ...]:
    """Of ``others``, and of what ``listed`` ones stand for beside their parts."""
    counts = Counter[Counted]()
    for problem in listed:
        _add(counts, problem.finding.unlisted)
    for problem in others:
        _add(counts, counted(part.finding for part in parts(problem)))
        _add(counts, problem.finding.unlisted)
    return _tallies(counts)


def parts(problem: Problem) -> list[Problem]:
    """The problems that one of several integrations stands for, or itself."""
    return [replace(problem, finding=part) for part in problem.finding.parts] or [problem]


def of_vendor(problems: Iterable[Problem], vendor_id: str) -> list[Problem]:
    return [one for whole in problems for one in parts(whole) if _is_of(one.finding, vendor_id)]


def _is_of(finding: Finding, vendor_id: str) -> bool:
    return finding.integration_id is not None and finding.vendor_id == vendor_id


def _add(counts: Counter[Counted], tallies: Iterable[VendorTally]) -> None:
    for one in tallies:
        counts[one.vendor_id, one.kind, one.severity] += one.count


def _tallies(counts: Counter[Counted]) -> tuple[VendorTally, ...]:
    return tuple(VendorTally(*key, count) for key, count in counts.most_common(MOST_TALLIES))
