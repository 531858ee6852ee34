"""The end of a pause, from what somebody asked for: a duration, a moment, or none."""

from __future__ import annotations

import re

from dispatcher.errors import Unprocessable

LONGEST_MS = 90 * 86_400_000
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def pause_end(lasting: str | None, until_ms: int | None, now_ms: int) -> int | None:
    """Epoch ms; None = it has no end. Raises ``Unprocessable`` that names ``for`` or ``until``."""
    if lasting is not None and until_ms is not None:
        raise Unprocessable.of("invalid_value", "Give either for or until.", "until")
    if lasting is not None:
        return now_ms + _duration_ms(lasting)
    if until_ms is not None and not now_ms < until_ms <= now_ms + LONGEST_MS:
        raise Unprocessable.of("invalid_value", "Give a time that is to come, within 90 days.", "until")
    return until_ms


def _duration_ms(text: str) -> int:
    given = _DURATION.fullmatch(text.strip().lower())
    length_ms = int(given[1]) * _UNIT_MS[given[2]] if given else 0
    if not 0 < length_ms <= LONGEST_MS:
        raise Unprocessable.of("invalid_value", "Give a duration such as 90s, 15m, 2h or 7d; at most 90d.", "for")
    return length_ms
