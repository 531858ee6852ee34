"""One try to deliver one event, and how it can end."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

ClaimId = tuple[str, int]
"""Names one claim: event id and number of the attempt. An event may be claimed anew while an older attempt runs."""


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


class Phases(NamedTuple):
    """Milliseconds of an attempt that were spent on others, in their order. 0 = it had nothing of it.

    A kept connection needs neither name nor connecting. ``wait`` ends with the head of the answer.
    """

    token: float = 0.0
    lookup: float = 0.0
    connect: float = 0.0
    """With TLS."""
    wait: float = 0.0
    read: float = 0.0

    @classmethod
    def of_seconds(cls, token: float, lookup: float, connected: float, wait: float, read: float) -> Phases:
        """``connected``: until there was a connection, with the lookup."""
        return cls(token * 1000, lookup * 1000, max(0.0, connected - lookup) * 1000, wait * 1000, read * 1000)


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
    phases: Phases | None = None
    """None: there was no answer, or nothing was sent."""
    response_headers: dict[str, str] | None = None
    """Those that help to find out why an attempt went wrong; of one that went well none is kept."""

    def as_record(self) -> dict[str, Any]:
        """Compact form kept in Redis: short names, and most fields only where there is something to say."""
        record: dict[str, Any] = {
            "t": self.started_ms,
            "d": int(self.duration_ms * 100 + 0.5) / 100,  # as round, which writes and reads digits for it
            "u": self.url,
            "o": self.outcome.value,
            "w": self.worker,
        }
        if self.http_status is not None:
            record["h"] = self.http_status
        if self.error_code:
            record["c"] = self.error_code
        if self.error_detail:
            record["e"] = self.error_detail
        if self.response_body:
            record["b"] = self.response_body
        if self.token_fetched:
            record["k"] = 1
        if self.resent:
            record["r"] = 1
        if self.phases:
            record["p"] = [int(ms * 10 + 0.5) / 10 or 0 if ms else 0 for ms in self.phases]
        if self.response_headers:
            record["a"] = self.response_headers
        return record

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
            phases=Phases(*record["p"]) if record.get("p") else None,
            response_headers=record.get("a"),
        )
