"""Query parameters, read by tables. A bad one is a 400 that names it; ``known_parameters`` finds unknown ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from multidict import MultiMapping

from dispatcher.errors import InvalidRequest, RequestError

Value = TypeVar("Value")
Member = TypeVar("Member", bound=StrEnum)

MAX_EPOCH_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""
TIME = (
    r"^([0-9]{1,14}|(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)$"
)
"""Forms of a time that are always taken, for the document."""
PLAIN = r"^[^\x00-\x1f\x7f]+$"
"""Without control characters, for the document."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_DIGITS = re.compile(r"\d{1,15}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def invalid_parameter(name: str, how: str) -> RequestError:
    return InvalidRequest.of("invalid_parameter", how, name)


def integer(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number between ``least`` and ``most``."""
    text = query.get(name)
    if text is None:
        return default
    if not _DIGITS.fullmatch(text) or not text.isascii() or not least <= int(text) <= most:
        raise invalid_parameter(name, f"Give a whole number from {least} to {most}.")
    return int(text)


def truth(query: Mapping[str, str], name: str) -> bool:
    """``true`` or ``false``; false when it is not given."""
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise invalid_parameter(name, "Give true or false.")
    return text == "true"


def moment_ms(query: Mapping[str, str], *names: str) -> int | None:
    """A time as ISO 8601 (UTC unless it says otherwise) or epoch milliseconds, under the first name that is there."""
    for name in names:
        text = query.get(name)
        if text is not None:
            return _moment_ms(name, text)
    return None


def _moment_ms(name: str, text: str) -> int:
    how = "Give a time as 2026-11-21T22:25:48.123Z or as milliseconds since 1970."
    value = int(text) if text.isascii() and _DIGITS.fullmatch(text) else _iso_ms(text, name, how)
    if not 0 <= value <= MAX_EPOCH_MS:
        raise invalid_parameter(name, how)
    return value


def _iso_ms(text: str, name: str, how: str) -> int:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - _EPOCH) // _MS
    except (ValueError, OverflowError):
        raise invalid_parameter(name, how) from None


def name_of(query: Mapping[str, str], name: str) -> str | None:
    """An id of 1 to 255 characters; None = not given. An empty one is refused: it would let everything through."""
    text = query.get(name)
    if text is None:
        return None
    if not 0 < len(text) <= 255 or _CONTROL.search(text) or not _encodable(text):
        raise invalid_parameter(name, "Give 1 to 255 characters without control characters, or leave it out.")
    return text


def several(
    query: MultiMapping[str], name: str, read: Callable[[str], Value | None], known: list[str]
) -> frozenset[Value]:
    """Values given comma-separated or by repeating the parameter; one that names none is refused."""
    found = set()
    for text in query.getall(name, []):
        parts = [part for one in text.split(",") if (part := one.strip())]
        for part in parts or [""]:
            value = read(part)
            if value is None:
                raise invalid_parameter(name, f"Give one or more of {', '.join(known)}.")
            found.add(value)
    return frozenset(found)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
