"""Snapshots with one fact, and names that tests of rules use. Holds no test."""

from __future__ import annotations

from typing import Any

from dispatcher.model.troubles import (
    Cause,
    FlowFacts,
    Snapshot,
    StoreFacts,
    UpkeepFacts,
    WorkerFacts,
)
from dispatcher.model.verdict import ProblemKind, Severity
from tests.unit.policy.verdict.scenes import (
    AT_1402,
    NOW,
    REFUSING,
    lane,
    seen,
)

K, S = ProblemKind, Severity
ANSWERS_500 = Cause("HTTP_ERROR", 500, "HTTP 500")
NO_TOKEN = Cause("TOKEN_FAILED", 401, "invalid_client")

Sentence = tuple[Snapshot, ProblemKind, Severity, str, str]
"""A fact, the kind of problem that it is, its severity, the sentence, and the command of its first action."""


def upkeep(**facts: Any) -> Snapshot:
    return seen(upkeep=UpkeepFacts(**facts))


def flow(**facts: Any) -> Snapshot:
    return seen(flow=FlowFacts(**facts))


def store(**facts: Any) -> Snapshot:
    return seen(store=StoreFacts(**facts))


def workers(**facts: Any) -> Snapshot:
    return seen(workers=WorkerFacts(**facts))


def circuit(**facts: Any) -> Snapshot:
    known = {"circuit_since_ms": AT_1402, "next_try_ms": NOW + 12_000, "waiting": 14, "accounts": 9, "cause": REFUSING}
    return seen(lane(**(known | facts)))
