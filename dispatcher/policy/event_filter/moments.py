"""Times of a filter: ages, ISO 8601 and epoch milliseconds; ranges of times and of numbers. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from dispatcher.model.term import Bounds
from dispatcher.policy.event_filter.scanning import Value, invalid

UNIT_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
MAX_EPOCH_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
MAX_NUMBER = 10**15 - 1
HOW = "give an age such as 90s, 15m, 2h or 7d, a time such as 2026-11-21T22:25:48Z, or milliseconds since 1970"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_AGE = re.compile(r"(\+?)(\d{1,9})([smhd])", re.ASCII | re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
_HTTP_CLASS = re.compile(r"([1-9])xx", re.ASCII | re.IGNORECASE)

ReadNumber = Callable[[Value], int]


def moment(value: Value, now_ms: int, *, ahead: bool = False) -> int:
    """Epoch ms. ``ahead``: a leading + counts from now on."""
    found = _AGE.fullmatch(value.text)
    if found is not None and (ahead or not found[1]):
        span_ms = int(found[2]) * UNIT_MS[found[3].lower()]
        return min(MAX_EPOCH_MS, now_ms + span_ms) if found[1] else max(0, now_ms - span_ms)
    epoch_ms = int(value.text) if _DIGITS.fullmatch(value.text) else _iso(value)
    if not 0 <= epoch_ms <= MAX_EPOCH_MS:
        raise invalid(value.at, value.length, HOW)
    return epoch_ms


def count(value: Value) -> int:
    if not _DIGITS.fullmatch(value.text):
        raise invalid(value.at, value.length, "give a whole number")
    return int(value.text)


def http_status(value: Value) -> int:
    if not re.fullmatch(r"\d{3}", value.text, re.ASCII):
        raise invalid(value.at, value.length, "give an HTTP status such as 503, or all of a class such as 5xx")
    return int(value.text)


def http_class(value: Value) -> Bounds | None:
    """The bounds of ``5xx``; None for anything else."""
    found = _HTTP_CLASS.fullmatch(value.text)
    return Bounds(int(found[1]) * 100, int(found[1]) * 100 + 100) if found else None


def between(value: Value, read: ReadNumber) -> Bounds | None:
    """The bounds of ``A..B``, either of which may be left out; None for what is no range."""
    first, dots, last = value.text.partition("..")
    if not dots:
        return None
    if not first and not last:
        raise invalid(value.at, value.length, "give A..B: from A, included, to B, not included")
    least = read(Value(first, value.at, len(first))) if first else None
    below = read(Value(last, value.at + len(first) + 2, len(last))) if last else None
    if least is not None and below is not None and below <= least:
        raise invalid(value.at, value.length, "the range ends before it begins; from is included, to is not")
    return Bounds(least, below)


def compared(operator: str, number: int) -> Bounds:
    """The bounds of ``> >= < <=``."""
    return {
        ">": Bounds(number + 1, None),
        ">=": Bounds(number, None),
        "<": Bounds(None, number),
        "<=": Bounds(None, number + 1),
    }[operator]


def _iso(value: Value) -> int:
    try:
        read = datetime.fromisoformat(value.text)
        aware = read if read.tzinfo else read.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MS
    except (ValueError, OverflowError):
        raise invalid(value.at, value.length, HOW) from None
