"""One try to deliver one event, and how it can end."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple


class Outcome(StrEnum):
    """The end of an attempt. ``STARTED`` means that its worker was lost before it could report."""

    STARTED = "STARTED"
    OK = "OK"
    REFUSED = "REFUSED"
    ACCEPTED = "ACCEPTED"
    TOKEN_FAILED = "TOKEN_FAILED"  # noqa: S105 - an outcome
    CONNECT_FAILED = "CONNECT_FAILED"
    TIMEOUT = "TIMEOUT"
    HTTP_ERROR = "HTTP_ERROR"
    INVALID_RESPONSE = "INVALID_RESPONSE"
    BLOCKED = "BLOCKED"
    CONFIGURATION_ERROR = "CONFIGURATION_ERROR"


TRANSPORT_FAILURES: frozenset[Outcome] = frozenset({Outcome.CONNECT_FAILED, Outcome.TIMEOUT})
"""Outcomes that open a circuit: the host could not be talked to at all."""


class Attempt(NamedTuple):
    """One attempt. ``started_ms`` is epoch milliseconds; ``response_body`` at most 4 KiB, scrubbed."""

    n: int
    started_ms: int
    duration_ms: float
    url: str
    outcome: Outcome
    http_status: int | None = None
    error_code: str | None = None
    error_detail: str | None = None
    response_body: str | None = None
    token_fetched: bool = False
    worker: str = ""
    resent: bool = False
    """The host had closed a kept connection: it was sent once more, on a new one, within the attempt."""

    def as_record(self) -> dict[str, Any]:
        """Compact form kept in Redis: short names, empty fields left out."""
        record = {
            "t": self.started_ms,
            "d": round(self.duration_ms, 2),
            "u": self.url,
            "o": self.outcome.value,
            "h": self.http_status,
            "c": self.error_code,
            "e": self.error_detail,
            "b": self.response_body,
            "k": 1 if self.token_fetched else None,
            "w": self.worker,
            "r": 1 if self.resent else None,
        }
        return {name: value for name, value in record.items() if value not in (None, "")}

    @classmethod
    def from_record(cls, n: int, record: dict[str, Any]) -> Attempt:
        return cls(
            n=n,
            started_ms=int(record["t"]),
            duration_ms=float(record.get("d", 0)),
            url=str(record.get("u", "")),
            outcome=Outcome(record["o"]),
            http_status=record.get("h"),
            error_code=record.get("c"),
            error_detail=record.get("e"),
            response_body=record.get("b"),
            token_fetched=bool(record.get("k")),
            worker=str(record.get("w", "")),
            resent=bool(record.get("r")),
        )
