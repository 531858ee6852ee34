"""The fields of a filter, a row each: how a written term becomes a ``Term``. Pure; the time is a parameter."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.model.term import Bounds, Field, Term
from dispatcher.policy.event_filter.moments import between, compared, count, http_class, http_status, moment
from dispatcher.policy.event_filter.scanning import RawTerm, Value, invalid

MAX_NAME_CHARS = 255
ID_CHARS = 36
LEAST_ID_CHARS = 8

Part = TypeVar("Part")

Read = Callable[[RawTerm, int], Term]
"""A written term, and the time that ages count from."""

_ID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SOME_ID = "00000000-0000-7000-8000-000000000000"


def read_term(raw: RawTerm, now_ms: int) -> Term:
    """The term. Raises ``InvalidRequest`` (invalid_filter) for a field, an operator or a value that there is not."""
    if not raw.name:
        return Term(Field.WORD, (_name(raw.values[0]),), negated=raw.negated)
    name, _, path = raw.name.partition(".")
    field = _FIELDS.get(name.lower())
    if field is None or (path and field is not Field.PAYLOAD):
        raise invalid(raw.at, raw.length, f"there is no field {raw.name}{_like(raw.name.lower(), _FIELDS)}")
    if raw.operator != ":" and field not in COMPARED:
        raise invalid(raw.at + raw.length, len(raw.operator), f"{name} is not compared; write {raw.name}:VALUE")
    return _READ[field](raw, now_ms)


def begins_an_id(text: str) -> bool:
    """True for an event's id, or 8 or more of its first characters."""
    return LEAST_ID_CHARS <= len(text) <= ID_CHARS and bool(_ID_FORM.fullmatch(text + _SOME_ID[len(text) :]))


def is_event_id(text: str) -> bool:
    """True for a whole id, which names its partition."""
    return _ID_FORM.fullmatch(text) is not None


COMPARED = frozenset({Field.ATTEMPTS, Field.HTTP, Field.NEXT})
_FIELDS: dict[str, Field] = {field.value: field for field in Field if field is not Field.WORD}


def _names(field: Field, raw: RawTerm, _: int) -> Term:
    return Term(field, _each(raw.values, _name), negated=raw.negated)


def _codes(field: Field, raw: RawTerm, _: int) -> Term:
    return Term(field, _each(raw.values, lambda value: _name(value).upper()), negated=raw.negated)


def _ids(raw: RawTerm, _: int) -> Term:
    return Term(Field.ID, _each(raw.values, _id), negated=raw.negated)


def _known(field: Field, names: Mapping[str, str], raw: RawTerm, _: int) -> Term:
    def read(value: Value) -> str:
        found = names.get(value.text.lower())
        if found is None:
            text = f"there is no {field} {value.text[:MAX_NAME_CHARS]}{_like(value.text.lower(), names)}"
            raise invalid(value.at, value.length, text)
        return found

    return Term(field, _each(raw.values, read), negated=raw.negated)


def _hosts(raw: RawTerm, _: int) -> Term:
    return Term(Field.HOST, _each(raw.values, lambda value: _name(value).lower()), negated=raw.negated)


def _attempts(raw: RawTerm, _: int) -> Term:
    return _numbers(Field.ATTEMPTS, raw, count)


def _http(raw: RawTerm, _: int) -> Term:
    return _numbers(Field.HTTP, raw, http_status)


def _next(raw: RawTerm, now_ms: int) -> Term:
    def read(value: Value) -> int:
        return moment(value, now_ms, ahead=True)

    if raw.operator != ":":
        return _numbers(Field.NEXT, raw, read)
    return Term(Field.NEXT, bounds=_each(raw.values, partial(_range, read)), negated=raw.negated)


def _numbers(field: Field, raw: RawTerm, read: Callable[[Value], int]) -> Term:
    if raw.operator != ":":
        if len(raw.values) > 1:
            raise invalid(raw.values[1].at, raw.values[1].length, f"compare {field} with one value")
        return Term(field, bounds=(compared(raw.operator, read(raw.values[0])),), negated=raw.negated)

    def one(value: Value) -> Bounds:
        some = http_class(value) if field is Field.HTTP else None
        some = some or between(value, read)
        return some or Bounds(number := read(value), number + 1)

    return Term(field, bounds=_each(raw.values, one), negated=raw.negated)


def _accepted(raw: RawTerm, now_ms: int) -> Term:
    value = _only(raw)
    return Term(Field.ACCEPTED, bounds=(_range(lambda one: moment(one, now_ms), value),), negated=raw.negated)


def _range(read: Callable[[Value], int], value: Value) -> Bounds:
    found = between(value, read)
    if found is None:
        raise invalid(value.at, value.length, "give A..B: from A, included, to B, not included; either may be left out")
    return found


def _since(raw: RawTerm, now_ms: int) -> Term:
    return Term(Field.SINCE, bounds=(Bounds(moment(_only(raw), now_ms), None),), negated=raw.negated)


def _until(raw: RawTerm, now_ms: int) -> Term:
    return Term(Field.UNTIL, bounds=(Bounds(None, moment(_only(raw), now_ms)),), negated=raw.negated)


def _payload(raw: RawTerm, _: int) -> Term:
    path = raw.name.partition(".")[2]
    if not all(path.split(".")):
        raise invalid(raw.at, raw.length, "name a field of the payload, such as payload.order.id:4711")
    return Term(Field.PAYLOAD, _each(raw.values, lambda value: value.text), negated=raw.negated, path=path)


def _only(raw: RawTerm) -> Value:
    if len(raw.values) > 1:
        raise invalid(raw.values[1].at, raw.values[1].length, f"{raw.name} has one value")
    return raw.values[0]


def _name(value: Value) -> str:
    if not 0 < len(value.text) <= MAX_NAME_CHARS:
        raise invalid(value.at, value.length, f"give 1 to {MAX_NAME_CHARS} characters")
    return value.text


def _id(value: Value) -> str:
    text = value.text.lower()
    if not begins_an_id(text):
        raise invalid(
            value.at, value.length, f"give an event's id, or {LEAST_ID_CHARS} or more of its first characters"
        )
    return text


def _each(values: Iterable[Value], read: Callable[[Value], Part]) -> tuple[Part, ...]:
    """Each once, in the order in which they were written."""
    return tuple(dict.fromkeys(read(value) for value in values))


def _like(text: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(text, list(names), n=1)
    return f"; {near[0]}?" if near else ""


def _any_case(values: Iterable[str]) -> dict[str, str]:
    return {value.lower(): value for value in values}


TYPE_NAMES = _any_case(kind.value for kind in EventType) | {
    rule.alias.lower(): kind.value for kind, rule in TYPE_RULES.items() if rule.alias
}

_READ: dict[Field, Read] = {
    Field.STATUS: partial(_known, Field.STATUS, _any_case(Status)),
    Field.TYPE: partial(_known, Field.TYPE, TYPE_NAMES),
    Field.PRODUCT: partial(_names, Field.PRODUCT),
    Field.ACCOUNT: partial(_names, Field.ACCOUNT),
    Field.INTEGRATION: partial(_names, Field.INTEGRATION),
    Field.ID: _ids,
    Field.ERROR: partial(_codes, Field.ERROR),
    Field.OUTCOME: partial(_known, Field.OUTCOME, _any_case(Outcome)),
    Field.HTTP: _http,
    Field.REASON: partial(_known, Field.REASON, _any_case(Reason)),
    Field.HOST: _hosts,
    Field.CLIENT: partial(_names, Field.CLIENT),
    Field.KEY: partial(_names, Field.KEY),
    Field.ATTEMPTS: _attempts,
    Field.NEXT: _next,
    Field.PAYLOAD: _payload,
    Field.SINCE: _since,
    Field.UNTIL: _until,
    Field.ACCEPTED: _accepted,
}
