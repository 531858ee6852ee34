"""The figures of a run: a table for people, one object for programs. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.cli.bench.judging import Outcome, percentile
from dispatcher.cli.bench.measuring import Run
from dispatcher.cli.terminal.output import cell
from dispatcher.cli.terminal.table import print_table

SHARES = (0.5, 0.95, 0.99)


def show(run: Run) -> None:
    """One figure a line; what was lost is red, and green when it is nothing."""
    rows = table_rows(run)
    lost = next(value for name, value in rows if name == "lost")
    print_table(("FIGURE", "VALUE"), rows, {lost: "green" if run.outcome.lost == 0 else "red"})


def table_rows(run: Run) -> list[tuple[str, str]]:
    outcome = run.outcome
    return [
        ("sent", f"{outcome.sent:,}"),
        ("accepted", f"{outcome.accepted:,}{_aside(outcome)}"),
        ("delivered", f"{len(outcome.deliveries):,}"),
        ("lost", _of(outcome.lost, outcome.accepted)),
        ("still under way", f"{outcome.unfinished:,}"),
        ("ended without success", f"{outcome.failed:,}"),
        (
            "delivered twice",
            "not seen: the host is another's" if outcome.duplicates is None else f"{outcome.duplicates:,}",
        ),
        ("deliveries a second", "-" if outcome.rate_per_s is None else f"{outcome.rate_per_s:,.1f}"),
        ("latency from intended sending", _percentiles(outcome.latencies_ms)),
        ("receipt from intended sending", _percentiles(outcome.accepts_ms)),
        ("longest time without an arrival", f"{outcome.standstill_s:.2f} s"),
        *[("fault", f"{mark.fault.value} after {mark.at_s - run.begin_s:.1f} s") for mark in run.marks],
        *[("no receipt", f"{count:,}: {cell(said)}") for said, count in outcome.said.items()],
    ]


def as_json(run: Run) -> dict[str, Any]:
    outcome = run.outcome
    return {
        "sent": outcome.sent,
        "accepted": outcome.accepted,
        "refused": outcome.refused,
        "unanswered": outcome.unanswered,
        "askedAgain": outcome.asked_again,
        "delivered": len(outcome.deliveries),
        "lost": outcome.lost,
        "unfinished": outcome.unfinished,
        "failed": outcome.failed,
        "duplicates": outcome.duplicates,
        "deliveriesPerS": outcome.rate_per_s,
        "latencyMs": _figures(outcome.latencies_ms),
        "receiptMs": _figures(outcome.accepts_ms),
        "longestStandstillS": outcome.standstill_s,
        "faults": [{"afterS": mark.at_s - run.begin_s, "what": mark.fault.value} for mark in run.marks],
        "noReceipt": dict(outcome.said),
    }


def _aside(outcome: Outcome) -> str:
    said = {"refused": outcome.refused, "unanswered": outcome.unanswered, "asked again": outcome.asked_again}
    told = ", ".join(f"{count:,} {name}" for name, count in said.items() if count)
    return f" ({told})" if told else ""


def _of(count: int, accepted: int) -> str:
    return f"{count:,} of {accepted:,}"


def _percentiles(values_ms: Sequence[float]) -> str:
    figures = _figures(values_ms)
    return ", ".join(f"{name} {value:,.0f} ms" for name, value in figures.items()) if figures else "-"


def _figures(values_ms: Sequence[float]) -> dict[str, float]:
    """Empty for none."""
    if not values_ms:
        return {}
    return {f"p{share * 100:g}": percentile(values_ms, share) for share in SHARES} | {"max": max(values_ms)}
