"""Splits the text of a filter into terms: sign, field, operator, values. Knows no field; never reads a value."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dispatcher.errors import InvalidRequest, Problem

MAX_CHARS = 1000
MAX_TERMS = 20
MAX_VALUES = 100

_NAME = re.compile(r"""([^\s:<>=",]+)(:|>=|<=|>|<|=)""")
_BARE = re.compile(r"""[^\s",]+""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OPERATORS = ":<>="
_CONNECTIVES = frozenset({"AND", "OR", "NOT"})


@dataclass(frozen=True, slots=True)
class Value:
    """``text`` without its quotes; ``at``: where it begins, from 1; ``length`` as it was written."""

    text: str
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class RawTerm:
    """A term as it was written; without ``name`` it is a bare word. ``at`` and ``length`` are of the name or word."""

    negated: bool
    name: str
    operator: str
    values: tuple[Value, ...]
    at: int
    length: int


def invalid(at: int, length: int, text: str) -> InvalidRequest:
    """400 ``invalid_filter``: what is wrong with these characters, and what to write instead."""
    return InvalidRequest([Problem("invalid_filter", f"at {at}: {text}", "q", position=at, length=length)])


def needs_quotes(text: str, *, is_word: bool) -> bool:
    """True for a value that is not read as itself when it stands bare."""
    if _BARE.fullmatch(text) is None:
        return True
    return is_word and (text[0] in f"-{_OPERATORS}" or text in _CONNECTIVES or _NAME.match(text) is not None)


def scan(text: str) -> list[RawTerm]:
    """Terms in their order. Raises ``InvalidRequest`` (invalid_filter), which says where."""
    if len(text) > MAX_CHARS:
        raise invalid(MAX_CHARS + 1, len(text) - MAX_CHARS, f"a filter has at most {MAX_CHARS} characters")
    if found := _CONTROL.search(text):
        raise invalid(found.start() + 1, 1, "leave out control characters")
    terms: list[RawTerm] = []
    at = _after_spaces(text, 0)
    while at < len(text):
        if len(terms) == MAX_TERMS:
            raise invalid(
                at + 1, len(text) - at, f"a filter has at most {MAX_TERMS} terms; a comma joins values of one"
            )
        term, at = _term(text, at)
        terms.append(term)
        at = _after_spaces(text, at)
    _refuse_many_values(terms)
    return terms


def _refuse_many_values(terms: list[RawTerm]) -> None:
    values = [value for term in terms for value in term.values]
    if len(values) > MAX_VALUES:
        extra = values[MAX_VALUES]
        raise invalid(extra.at, extra.length, f"a filter has at most {MAX_VALUES} values")


def _term(text: str, at: int) -> tuple[RawTerm, int]:
    negated = text[at] == "-"
    begin = at + negated
    if begin == len(text) or text[begin].isspace():
        raise invalid(at + 1, 1, "- negates the term behind it; put it in quotes to search for it")
    named = _NAME.match(text, begin)
    if named is None:
        _refuse_nameless(text, begin)
        value, end = _value(text, begin)
        _refuse_connective(text[begin:end], begin)
        _require_end(text, end)
        return RawTerm(negated, "", "", (value,), begin + 1, end - begin), end
    name, operator = named[1], named[2]
    if operator == "=":
        raise invalid(named.start(2) + 1, 1, f"write {name}:VALUE")
    values, end = _values(text, named.end(), name)
    return RawTerm(negated, name, operator, values, begin + 1, len(name)), end


def _values(text: str, at: int, name: str) -> tuple[tuple[Value, ...], int]:
    values = []
    while True:
        if at == len(text) or text[at].isspace() or text[at] == ",":
            raise invalid(at + 1, 1, f"{name} has no value here; write one, or leave the term out")
        value, at = _value(text, at)
        values.append(value)
        if at == len(text) or text[at] != ",":
            _require_end(text, at)
            return tuple(values), at
        at += 1


def _value(text: str, at: int) -> tuple[Value, int]:
    if text[at] != '"':
        bare = _BARE.match(text, at)
        if bare is None:
            raise invalid(at + 1, 1, "a comma stands between the values of one field, without spaces")
        return Value(bare[0], at + 1, len(bare[0])), bare.end()
    quoted = _QUOTED.match(text, at)
    if quoted is None:
        raise invalid(at + 1, len(text) - at, 'the quote is not closed; within quotes write \\" and \\\\')
    plain = re.sub(r"\\(.)", r"\1", quoted[1])
    return Value(plain, at + 1, len(quoted[0])), quoted.end()


def _require_end(text: str, at: int) -> None:
    if at < len(text) and not text[at].isspace():
        raise invalid(at + 1, 1, "put a space between terms, and quotes around the whole of a value")


def _refuse_connective(word: str, at: int) -> None:
    if word in _CONNECTIVES:
        how = "a space is AND, a comma between values is OR, a leading - is NOT"
        raise invalid(at + 1, len(word), f"{how}; put {word} in quotes to search for it")


def _refuse_nameless(text: str, at: int) -> None:
    if text[at] in _OPERATORS:
        how = f"a field stands before {text[at]}, as in FIELD:VALUE"
        raise invalid(at + 1, 1, f"{how}; put it in quotes to search for it")


def _after_spaces(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
