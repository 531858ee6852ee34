"""Snapshots that tests of the verdict begin with. Holds no test."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dispatcher.model.troubles import Cause, Figures, Issue, Snapshot, TroubledLane
from dispatcher.model.verdict import Finding, ProblemKind
from dispatcher.policy.verdict.rules import RULES

NOW = int(datetime(2026, 11, 29, 14, 30, tzinfo=UTC).timestamp() * 1000)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
AT_1402 = NOW - 28 * MINUTE

QUIET = Snapshot(NOW, figures=Figures(212.0, 0.994, 17.0, NOW - 200))
REFUSING = Cause("CONNECT_FAILED", None, "no connection: Connection refused")
ID = "5f157a26-0238-4f3f-9c31-1f3e65b4713e"


def lane(**facts: Any) -> TroubledLane:
    return TroubledLane(**({"integration_id": ID, "name": "Northwind", "vendor_id": "v1"} | facts))


def seen(*lanes: TroubledLane, **parts: Any) -> Snapshot:
    return replace(QUIET, lanes=lanes, **parts)


def issue(count: int = 23, number: int = 1, **facts: Any) -> Issue:
    known: dict[str, Any] = {
        "id": f"i{number}",
        "count": count,
        "integration_id": ID,
        "name": "Northwind",
        "vendor_id": "v1",
        "error_code": "TRANSPORT_ERROR",
        "error": "HTTP 503",
        "first_ms": AT_1402,
        "last_ms": NOW,
    }
    return Issue(**(known | facts))


def found(kind: ProblemKind, snapshot: Snapshot) -> list[Finding]:
    return list(RULES[kind](snapshot))
