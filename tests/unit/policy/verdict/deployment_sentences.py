"""Sentences about a deployment that is not well. Holds no test."""

from __future__ import annotations

from dispatcher.model.troubles import (
    IntegrityFacts,
)
from tests.unit.policy.verdict.facts import K, S, Sentence, flow, store, workers
from tests.unit.policy.verdict.scenes import (
    AT_1402,
    HOUR,
    MINUTE,
    NOW,
    seen,
)

OF_DEPLOYMENT: list[Sentence] = [
    (
        store(away_since_ms=AT_1402),
        K.STORE_AWAY,
        S.PAGE,
        "Redis takes no writes since 14:02 UTC: nothing is accepted or delivered.",
        "dispatcher doctor",
    ),
    (
        workers(silent_since_ms=AT_1402, waiting=3681, partitions=8),
        K.NO_WORKER,
        S.PAGE,
        "No worker since 14:02 UTC; 3,681 events wait.",
        "dispatcher worker",
    ),
    (
        workers(alive=1, silent_since_ms=AT_1402, waiting=1, partitions=1),
        K.NO_WORKER,
        S.PAGE,
        "1 partition has no worker since 14:02 UTC; 1 event waits.",
        "dispatcher worker",
    ),
    (
        workers(silent_since_ms=AT_1402),
        K.NO_WORKER,
        S.INFO,
        "No worker since 14:02 UTC; nothing waits.",
        "dispatcher worker",
    ),
    (
        seen(integrity=IntegrityFacts(lost_ms=AT_1402, lost_text="what was confirmed after 14:01 may be gone")),
        K.DATA_LOSS,
        S.PAGE,
        "Redis lost writes, noticed at 14:02 UTC: what was confirmed after 14:01 may be gone.",
        "docs/operations.md, when something is wrong",
    ),
    (
        seen(integrity=IntegrityFacts(broken_since_ms=AT_1402, broken_by=2)),
        K.AUDIT_BROKEN,
        S.PAGE,
        "What was accepted is not what ended and what is open: 2 events missing.",
        "dispatcher audit",
    ),
    (
        seen(integrity=IntegrityFacts(repairs=3, repaired_ms=AT_1402)),
        K.REPAIRED,
        S.ACT,
        "The queue needed 3 repairs, the last at 14:02 UTC; a healthy store needs none.",
        "dispatcher audit",
    ),
    (
        store(memory_ratio=0.6, full_in_ms=5 * HOUR),
        K.STORE_PRESSURE,
        S.ACT,
        "Redis is full in 5 h; then events are refused.",
        "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS",
    ),
    (
        store(memory_ratio=0.75),
        K.STORE_PRESSURE,
        S.ACT,
        "Redis is 75% full; when it is full, events are refused.",
        "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS",
    ),
    (
        store(memory_ratio=0.91, refusing=True),
        K.STORE_PRESSURE,
        S.PAGE,
        "Redis is 91% full: events are refused until there is room.",
        "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS",
    ),
    (
        flow(emits=1000, emits_failed=40),
        K.ACCEPT_FAILING,
        S.PAGE,
        "4% of emits failed in the last minute, 40 of 1,000.",
        "its answers with a status of 5xx; docs/operations.md",
    ),
    (
        flow(overdue=412, overdue_since_ms=NOW - 74_000),
        K.OVERDUE,
        S.ACT,
        "412 events are due for 74 s and nobody takes them.",
        "dispatcher workers",
    ),
    (
        flow(overdue=1, overdue_since_ms=NOW - 300_000),
        K.OVERDUE,
        S.PAGE,
        "1 event is due for 300 s and nobody takes it.",
        "dispatcher workers",
    ),
    (
        flow(backlog=4000, growing_since_ms=NOW - 10 * MINUTE, drain_ms=40 * MINUTE),
        K.BACKLOG,
        S.ACT,
        "Arrives faster than it leaves; 40 min behind; 4,000 events wait.",
        "dispatcher worker --processes 2",
    ),
    (
        flow(backlog=4000, growing_since_ms=NOW - 10 * MINUTE, drain_ms=60 * MINUTE),
        K.BACKLOG,
        S.PAGE,
        "Arrives faster than it leaves; 60 min behind; 4,000 events wait.",
        "dispatcher worker --processes 2",
    ),
]
