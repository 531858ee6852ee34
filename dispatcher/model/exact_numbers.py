"""Numbers that are written as they came, where a double or 64 bits would change them (RFC 8259 §6 leaves that open).

Filters and schemas see the value; whatever is written again has the digits that the emitter sent. Only numbers that
would change are of these kinds, so that all others cost nothing.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import orjson

_BITS_64 = range(-(2**63), 2**64)


class ExactNumber(float):
    """A number whose ``text`` is not what its double would be written as."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> ExactNumber:
        number = super().__new__(cls, text)
        number.text = text
        return number


class ExactInteger(int):
    """An integer beyond 64 bits."""


def number(text: str) -> float:
    """The number that a JSON text with a fraction or an exponent says."""
    plain = float(text)
    return plain if orjson.dumps(plain).decode() == text else ExactNumber(text)


def integer(text: str) -> int | float:
    """The number that a JSON text of digits says; ``-0`` is a fraction's zero."""
    value = int(text)
    if value in _BITS_64:
        return value if text != "-0" else ExactNumber(text)
    return ExactInteger(value)


def dumps(value: Any) -> bytes:
    """Compact JSON, every number as it came."""
    return orjson.dumps(value, default=_as_it_came, option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def dumps_marked(record: dict[str, Any]) -> bytes:
    """The JSON of an object, marked at its end when it holds an exact number, so that reading need not look."""
    exact = False

    def noting(value: Any) -> Any:
        nonlocal exact
        exact = True
        return _as_it_came(value)

    text = orjson.dumps(record, default=noting, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    return text[:-1] + _MARK if exact else text


def loads_marked(text: bytes) -> Any:
    """Reads what ``dumps_marked`` wrote; several times slower than orjson where exact numbers are in it."""
    return _DECODER.decode(text.decode()) if text.endswith(_MARK) else orjson.loads(text)


_MARK = b',"x":1}'
_DECODER = json.JSONDecoder(parse_float=number, parse_int=integer)


def plain(value: Any) -> Any:
    """The same value in numbers that every library knows: itself, where nothing in it is an exact number."""
    try:
        orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_SUBCLASS)  # refuses them, at a tenth of a copy's cost
    except orjson.JSONEncodeError:
        return _copied(value)
    return value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_copied(inner) for inner in value]
    if isinstance(value, ExactNumber):
        return float(value)
    return int(value) if isinstance(value, ExactInteger) else value


def _as_it_came(value: Any) -> Any:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text)
    if isinstance(value, ExactInteger):
        return orjson.Fragment(str(int(value)))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
