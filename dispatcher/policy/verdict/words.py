"""Words of the verdict: moments, spans, numbers and causes as a person would say them."""

from __future__ import annotations

from datetime import UTC, datetime

from dispatcher.model.troubles import Cause

_SPANS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))


def moment(at_ms: int, now_ms: int) -> str:
    """``14:02 UTC`` today, ``Nov 28 14:02 UTC`` otherwise."""
    at, now = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (at_ms, now_ms))
    return f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%b %d %H:%M} UTC"


def span(length_ms: float) -> str:
    """``12 s``, ``40 min``, ``5 h``, ``3 d``: one unit, two of the smallest at least where that says more."""
    for unit_ms, unit in _SPANS:
        if length_ms >= 2 * unit_ms or (unit == "s"):
            return f"{max(0, round(length_ms / unit_ms))} {unit}"
    return "0 s"


def lasted(length_ms: float) -> str:
    """``17 ms``, ``9,999 ms``, from ten seconds on as ``span`` says it."""
    return span(length_ms) if length_ms >= 10_000 else f"{length_ms:,.0f} ms"


def number(count: int, one: str, several: str | None = None) -> str:
    """``1 event``, ``3,681 events``."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def wait(count: int) -> str:
    """``1 event waits``, ``14 events wait``."""
    return f"{number(count, 'event')} {'waits' if count == 1 else 'wait'}"


def _phrases(cause: Cause) -> tuple[str, str]:
    """The host's deed, of one and of several."""
    if cause.http_status and cause.outcome != "TOKEN_FAILED":
        return f"answers {cause.http_status}", f"answer {cause.http_status}"
    if cause.outcome == "CONNECT_FAILED":
        return next((said for mark, said in _CONNECTING if mark in cause.words.lower()), _UNREACHABLE)
    return _OUTCOMES.get(cause.outcome, ("fails", "fail"))


_UNREACHABLE = ("cannot be reached", "cannot be reached")
_CONNECTING: tuple[tuple[str, tuple[str, str]], ...] = (
    ("refused", ("refuses connections", "refuse connections")),
    ("not resolve", ("has a host name that does not resolve", "have host names that do not resolve")),
    ("tls", ("fails the TLS handshake", "fail the TLS handshake")),
    ("closed the connection", ("closes connections before it answers", "close connections before they answer")),
)
_OUTCOMES: dict[str, tuple[str, str]] = {
    "TIMEOUT": ("does not answer in time", "do not answer in time"),
    "TOKEN_FAILED": ("gets no token", "get no token"),
    "INVALID_RESPONSE": ("sends answers that cannot be read", "send answers that cannot be read"),
    "BLOCKED": ("has an address that is not allowed", "have addresses that are not allowed"),
    "CONFIGURATION_ERROR": ("is set up in a way that nothing can be sent", "are set up so that nothing can be sent"),
    "STARTED": ("was being tried when its worker was lost", "were being tried when their worker was lost"),
}


def does(cause: Cause) -> str:
    """``refuses connections``."""
    return _phrases(cause)[0]


def do(cause: Cause) -> str:
    """``refuse connections``, of several."""
    return _phrases(cause)[1]


def called(name: str, integration_id: str) -> str:
    """An integration's name, or what is left of one that was deleted."""
    return name or f"Integration {integration_id[:8]}"
