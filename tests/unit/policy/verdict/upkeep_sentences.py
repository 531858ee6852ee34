"""Sentences about upkeep that was left undone. Holds no test."""

from __future__ import annotations

from dispatcher.model.troubles import (
    SetAside,
    StuckJob,
)
from tests.unit.policy.verdict.facts import K, S, Sentence, upkeep
from tests.unit.policy.verdict.scenes import (
    HOUR,
    MINUTE,
    NOW,
)

OF_UPKEEP: list[Sentence] = [
    (
        upkeep(clock_skew_ms=-2000),
        K.CLOCK,
        S.ACT,
        "This machine's clock is 2 s behind that of Redis; times in logs are wrong by as much.",
        "let NTP set the clocks of this machine and of Redis",
    ),
    (
        upkeep(stale_values=2),
        K.KEYS_STALE,
        S.INFO,
        "2 sealed values need an older key; keep it until they are sealed again.",
        "dispatcher secrets reseal",
    ),
    (
        upkeep(updates=1, oldest_update=StuckJob("n1", NOW - HOUR)),
        K.UPDATE_LOCKED,
        S.ACT,
        "1 installation is held by an update for over an hour, n1 since 13:30 UTC; their events wait.",
        "its publisher: PUT /v1/integrations/{_id} with updateInProgress false and a higher version",
    ),
    (
        upkeep(redeliveries=(StuckJob("r1", NOW - 5 * MINUTE, 7, 1200),)),
        K.REDELIVERY_STUCK,
        S.ACT,
        "Redelivery r1 stands at 7 of 1,200 since 14:25 UTC; nothing more is sent again.",
        "dispatcher redeliveries show r1",
    ),
    (
        upkeep(operations_failing_since_ms=NOW - 5 * MINUTE, operations_waiting=1),
        K.OPERATIONS_FAILING,
        S.ACT,
        "DISPATCHER_OPERATIONS_URL takes nothing since 14:25 UTC; 1 message waits.",
        "dispatcher config",
    ),
    (
        upkeep(archive_away="the disk is full", archive_away_since_ms=NOW - 5 * MINUTE),
        K.ARCHIVE_AWAY,
        S.ACT,
        "Nothing is archived since 14:25 UTC: the disk is full. Events stay in Redis, which fills.",
        "dispatcher doctor",
    ),
    (
        upkeep(set_aside=(SetAside("stream new orders", 3, NOW - 5 * MINUTE, "unknown_type (type)."),)),
        K.INTAKE_POISON,
        S.ACT,
        "3 entries are set aside of stream new orders since 14:25 UTC, the newest because of unknown_type (type).",
        "dispatcher intake --stream 'new orders' --poison",
    ),
]
