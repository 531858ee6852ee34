"""The life of an event as a table: which status may follow which, and why."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The stage of an event's life."""

    QUEUED = "QUEUED"
    HELD = "HELD"
    DELIVERING = "DELIVERING"
    RETRYING = "RETRYING"
    AWAITING_RESULT = "AWAITING_RESULT"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DEAD = "DEAD"
    EXPIRED = "EXPIRED"
    SKIPPED = "SKIPPED"
    RESOLVED = "RESOLVED"


TRANSITIONS: dict[Status, dict[Status, str]] = {
    Status.QUEUED: {
        Status.DELIVERING: "claimed by the partition's owner",
        Status.HELD: "its URL is suspended",
        Status.RESOLVED: "resolved by hand",
    },
    Status.HELD: {
        Status.QUEUED: "the event before it is terminal, or the URL is enabled",
        Status.RESOLVED: "resolved by hand",
    },
    Status.DELIVERING: {
        Status.SUCCEEDED: "2xx, success",
        Status.FAILED: "2xx, success false",
        Status.AWAITING_RESULT: "202, the result comes later",
        Status.RETRYING: "the attempt failed and another is planned",
        Status.DEAD: "attempts used up, or 410 Gone",
        Status.SKIPPED: "no URL is configured for its type, or the filter leaves it out",
        Status.HELD: "its URL is suspended",
        Status.QUEUED: "the owner was lost or stopped before an outcome",
        Status.RESOLVED: "resolved by hand",
    },
    Status.RETRYING: {
        Status.DELIVERING: "its next attempt is due",
        Status.HELD: "its URL is suspended",
        Status.RESOLVED: "resolved by hand",
    },
    Status.AWAITING_RESULT: {
        Status.SUCCEEDED: "the host reported success",
        Status.FAILED: "the host reported failure",
        Status.EXPIRED: "no result before the deadline",
        Status.RESOLVED: "resolved by hand",
    },
    Status.DEAD: {Status.QUEUED: "redelivered", Status.RESOLVED: "resolved by hand"},
    Status.FAILED: {Status.QUEUED: "redelivered", Status.RESOLVED: "resolved by hand"},
    Status.EXPIRED: {Status.QUEUED: "redelivered", Status.RESOLVED: "resolved by hand"},
    Status.SUCCEEDED: {},
    Status.SKIPPED: {},
    Status.RESOLVED: {},
}

FAILURES: frozenset[Status] = frozenset({Status.DEAD, Status.FAILED, Status.EXPIRED})
COMPLETE: frozenset[Status] = frozenset({Status.SUCCEEDED, Status.RESOLVED, Status.SKIPPED})
TERMINAL: frozenset[Status] = FAILURES | COMPLETE
