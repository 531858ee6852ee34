"""The time of the next attempt: schedule, jitter, Retry-After, maximum age. Reads no clock and no random source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

JITTER = 0.2
"""Share of a delay by which it may be shorter or longer."""
MAX_RETRY_AFTER_S = 86_400.0

_SECONDS = re.compile(r"[0-9]{1,54}(\.[0-9]{1,9})?")
_MAX_HEADER_CHARS = 64


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """Attempt ``n`` (from 1), in seconds after the first if every one fails at once."""

    n: int
    at_s: float
    earliest_s: float
    latest_s: float


def next_delay_s(
    schedule_s: Sequence[float],
    tries: int,
    jitter: float,
    retry_after_s: float | None = None,
    *,
    age_s: float = 0.0,
    max_age_s: float | None = None,
) -> float | None:
    """Seconds until the next attempt after ``tries`` failed ones (at least 1), or None when there is none.

    ``jitter`` in [-1, 1] spreads the delay by ±20 %. ``retry_after_s`` is a lower bound, capped at 24 h.
    ``age_s`` is how long ago the event was accepted; an attempt later than ``max_age_s`` is not made.
    """
    if tries > len(schedule_s):
        return None
    delay_s = max(schedule_s[max(tries, 1) - 1], 0.0) * (1 + JITTER * min(max(jitter, -1.0), 1.0))
    if retry_after_s is not None:
        delay_s = max(delay_s, min(retry_after_s, MAX_RETRY_AFTER_S))
    if max_age_s is not None and age_s + delay_s > max_age_s:
        return None
    return delay_s


def plan(schedule_s: Sequence[float], max_age_s: float | None = None) -> list[PlannedAttempt]:
    """Every attempt of a schedule, the first at 0 s; n delays make n + 1 attempts unless the age ends them."""
    attempts = [PlannedAttempt(1, 0.0, 0.0, 0.0)]
    at_s = 0.0
    for n, delay_s in enumerate(schedule_s, start=2):
        at_s += delay_s
        if max_age_s is not None and at_s > max_age_s:
            break
        latest_s = at_s * (1 + JITTER)
        attempts.append(
            PlannedAttempt(n, at_s, at_s * (1 - JITTER), latest_s if max_age_s is None else min(latest_s, max_age_s))
        )
    return attempts


def parse_retry_after(value: str, now_s: float) -> float | None:
    """Seconds to wait (RFC 9110 §10.2.3: seconds or HTTP-date), a date gone by = 0; None = not readable."""
    text = value.strip()
    if len(text) > _MAX_HEADER_CHARS:
        return None
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now_s)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
