"""Headers of an answer that went wrong, for whoever looks for the cause: a few, bounded, free of secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dispatcher.policy.secrets.redaction import scrub
from worker.http.answer import Answer

MAX_BYTES = 1024
"""Of all headers together."""
MAX_VALUE_BYTES = 200
TELLING = (
    *("Content-Type", "Retry-After", "Location", "WWW-Authenticate", "Allow"),
    *("Server", "Via", "Date", "X-Request-Id", "Request-Id", "X-Correlation-Id", "X-Amzn-RequestId", "CF-Ray"),
)
"""Names that say what answered, why, and how its own log calls this request. Never ``Set-Cookie``."""


def telling_headers(answer: Answer) -> dict[str, str] | None:
    """Those of ``TELLING`` that are there, as they came; None = there is none."""
    found = {name: value for name in TELLING if (value := answer.headers.get(name)) is not None}
    return found or None


def scrubbed(headers: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str]:
    """Each on one line, without anything that was sent in confidence, and as many as fit."""
    kept: dict[str, str] = {}
    left = MAX_BYTES
    for name, value in headers.items():
        shown = scrub(value, secrets, MAX_VALUE_BYTES)
        left -= len(name) + len(shown.encode())
        if left < 0:
            break
        kept[name] = shown
    return kept
