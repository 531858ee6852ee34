"""Fields of forms as values: what to draw, what was typed, and what is wrong with it in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from urllib.parse import urlsplit

from dispatcher.pages.messages import Messages

MAX_CHARS = 4096


class Kind(StrEnum):
    """The way a field is drawn. The value is the ``type`` of ``<input>`` where it is one."""

    TEXT = "text"
    AREA = "area"
    NUMBER = "number"
    CHECK = "checkbox"
    DATE = "date"
    EMAIL = "email"
    TEL = "tel"
    URL = "url"
    CHOICE = "choice"
    SECRET = "password"  # noqa: S105 - a type of input
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """``value`` is never set where ``kind`` is SECRET. ``least`` and ``most`` make a NUMBER a whole one."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    value: str = ""
    required: bool = False
    options: tuple[Option, ...] = ()
    hint: str | None = None
    wrong: str | None = None
    first_wrong: bool = False
    """The first field to mend."""
    stored: bool = False
    """A SECRET that is left empty stays as it is."""
    least: int | None = None
    most: int | None = None
    complete: str = "off"
    """Value that browsers may fill in (HTML §4.10.18.7)."""

    @property
    def id(self) -> str:
        return "f-" + re.sub(r"[^A-Za-z0-9-]", lambda char: f"_{ord(char[0]):x}", self.name)


def typed(fields: Sequence[Field], given: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields with what somebody typed. A box that is not sent was not ticked; secrets are not repeated."""
    return tuple(
        field
        if field.kind is Kind.SECRET
        else replace(field, value=given.get(field.name, "" if field.kind is Kind.CHECK else field.value))
        for field in fields
    )


def marked(fields: Sequence[Field], wrong: Mapping[str, str]) -> tuple[Field, ...]:
    """The fields with what is wrong beside them."""
    first = next((field.name for field in fields if field.name in wrong), None)
    return tuple(
        replace(field, wrong=wrong.get(field.name, field.wrong), first_wrong=field.name == first) for field in fields
    )


def checked(fields: Sequence[Field], given: Mapping[str, str], t: Messages) -> dict[str, str]:
    """Problems by field; empty = all fits."""
    found = {field.name: _problem(field, given.get(field.name, "").strip(), t) for field in fields}
    return {name: text for name, text in found.items() if text}


def advice(field: Field, t: Messages) -> str:
    """Words for a value that does not fit its field."""
    if field.kind is Kind.NUMBER and field.most is not None:
        return t.plain("field.whole", label=field.label, least=field.least or 0, most=field.most)
    if field.kind in _FORMS:
        return t.plain(f"field.{field.kind.name.lower()}", label=field.label)
    return t.plain("field.choice" if field.options else "field.long", label=field.label, most=MAX_CHARS)


def _problem(field: Field, value: str, t: Messages) -> str | None:
    if not value:
        return t.plain("field.required", label=field.label) if field.required else None
    fits = len(value) <= MAX_CHARS or field.kind is Kind.CODE
    if field.options:
        fits = fits and value in {option.value for option in field.options}
    elif field.kind in _FORMS:
        fits = fits and _FORMS[field.kind](value)
    if fits and field.most is not None:
        fits = value.isascii() and value.isdigit() and (field.least or 0) <= int(value[:10]) <= field.most
    return None if fits else advice(field, t)


def _is_date(value: str) -> bool:
    try:
        return len(value) == 10 and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", value)
    except ValueError:
        return False


def _matching(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: bool(compiled.fullmatch(value))


_FORMS: dict[Kind, Callable[[str], bool]] = {
    Kind.NUMBER: _matching(r"-?[0-9]{1,15}([.,][0-9]{1,6})?"),
    Kind.EMAIL: _matching(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+"),
    Kind.TEL: _matching(r"\+?[0-9 ()./-]{3,32}"),
    Kind.URL: _is_url,
    Kind.DATE: _is_date,
}
