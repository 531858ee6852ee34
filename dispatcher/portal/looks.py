"""Colours of statuses. A colour is never the only sign."""

from __future__ import annotations

from dispatcher.model.ping import PingStatus
from dispatcher.model.status import Status

LOOKS: dict[Status | PingStatus, str] = {
    Status.QUEUED: "wait",
    Status.HELD: "wait",
    Status.DELIVERING: "run",
    Status.RETRYING: "warn",
    Status.AWAITING_RESULT: "run",
    Status.SUCCEEDED: "ok",
    Status.FAILED: "bad",
    Status.DEAD: "bad",
    Status.EXPIRED: "bad",
    Status.SKIPPED: "off",
    Status.RESOLVED: "off",
    PingStatus.PENDING: "wait",
    PingStatus.RUNNING: "run",
    PingStatus.PASSED: "ok",
    PingStatus.FAILED: "bad",
    PingStatus.NOT_CONFIGURED: "off",
}
