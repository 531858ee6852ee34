"""Reads the top level of an object that strict JSON parsers refuse. Linear, without recursion; never raises.

Hosts send what their languages print: lone surrogates, ``NaN``, ``1e400``, raw newlines, a trailing comma, text behind
the object. A tokenizer tells strings from structure, so that no value is ever mistaken for a field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SPACE = re.compile(r"[\s\ufeff]*")
_WORD = re.compile(r"[^\s,:{}\[\]\"]+")
_PLAIN = re.compile(r'[^"\\]*')
_STRUCTURE = re.compile(r'[^"{}\[\]]*')
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HEX4 = re.compile(r"[0-9a-fA-F]{4}")
_LITERALS: dict[str, object] = {"true": True, "false": False, "null": None}


@dataclass(slots=True)
class TopLevel:
    """The members of an object, in the order and as often as they came.

    Strings are unescaped, numbers stay text, objects and arrays are left out. ``whole``: nothing was odd or missing.
    """

    members: list[tuple[str, object]] = field(default_factory=list)
    whole: bool = False

    def fields(self) -> dict[str, object]:
        """By name; of several with one name the last counts, as strict parsers have it."""
        return dict(self.members)


def read_top_level(text: str) -> TopLevel:
    """The readable part of ``text``, which begins with an object; the rest is left where reading broke off."""
    found = TopLevel()
    at = _after_space(text, 0)
    if text[at : at + 1] != "{":
        return found
    _Reader(text, at + 1, found).read()
    return found


class _Reader:
    """A position in a text that only moves on."""

    def __init__(self, text: str, at: int, found: TopLevel) -> None:
        self._text = text
        self._at = at
        self._found = found

    def read(self) -> None:
        first = True
        while True:
            if self._takes("}"):
                self._found.whole = first and _after_space(self._text, self._at) == len(self._text)
                return
            if not self._member():
                return
            comma = self._takes(",")
            first = not comma
            if not comma and self._next() != "}":
                return

    def _member(self) -> bool:
        if self._next() != '"':
            return False
        name = self._string()
        if name is None or not self._takes(":"):
            return False
        begin = self._next()
        if begin == '"':
            value: object = self._string()
            if value is None:
                return False
        elif begin in ("{", "["):
            return self._skip_nested()
        else:
            word = _WORD.match(self._text, self._at)
            if word is None:
                return False
            self._at = word.end()
            value = _LITERALS.get(word[0], word[0])
        self._found.members.append((name, value))
        return True

    def _next(self) -> str:
        self._at = _after_space(self._text, self._at)
        return self._text[self._at : self._at + 1]

    def _takes(self, sign: str) -> bool:
        if self._next() != sign:
            return False
        self._at += 1
        return True

    def _string(self) -> str | None:
        """From its opening quote; None when it has no end."""
        parts: list[str] = []
        self._at += 1
        while True:
            plain = _PLAIN.match(self._text, self._at)
            if plain is not None:
                parts.append(plain[0])
                self._at = plain.end()
            if self._at >= len(self._text):
                return None
            if self._text[self._at] == '"':
                self._at += 1
                return "".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            parts.append(self._escaped())

    def _escaped(self) -> str:
        sign = self._text[self._at + 1 : self._at + 2]
        digits = _HEX4.match(self._text, self._at + 2) if sign == "u" else None
        self._at += 6 if digits else 2
        return chr(int(digits[0], 16)) if digits else _ESCAPES.get(sign, sign)

    def _skip_nested(self) -> bool:
        """Past an object or array; False when it has no end."""
        depth = 0
        while self._at < len(self._text):
            plain = _STRUCTURE.match(self._text, self._at)
            self._at = plain.end() if plain else self._at
            sign = self._text[self._at : self._at + 1]
            if sign == '"':
                if self._string() is None:
                    return False
                continue
            depth += 1 if sign in ("{", "[") else -1
            self._at += 1
            if depth <= 0:
                return sign != ""
        return False


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
