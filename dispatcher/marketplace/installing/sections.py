"""Settings as a form: ``sections[{title, fields[{name, label, type, value, options, required}]}]``, and back again.

What the form does not show stays as it is. Secrets are never among what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from dispatcher.pages.fields import Field, Kind, Option
from dispatcher.policy.secrets.setting_secrets import masked

_KINDS: dict[str, Kind] = {
    "text": Kind.TEXT,
    "textarea": Kind.AREA,
    "number": Kind.NUMBER,
    "checkbox": Kind.CHECK,
    "boolean": Kind.CHECK,
    "toggle": Kind.CHECK,
    "date": Kind.DATE,
    "email": Kind.EMAIL,
    "phone": Kind.TEL,
    "tel": Kind.TEL,
    "url": Kind.URL,
    "select": Kind.CHOICE,
    "radio": Kind.CHOICE,
    "password": Kind.SECRET,
    "secret": Kind.SECRET,
}


@dataclass(frozen=True, slots=True)
class Section:
    title: str | None
    fields: tuple[Field, ...]


def sections_of(settings: Any) -> list[Section] | None:
    """None: the settings are no form."""
    drawn = settings.get("sections") if isinstance(settings, dict) else None
    if not isinstance(drawn, list) or not drawn or not all(_is_section(one) for one in drawn):
        return None
    return [
        Section(_text(one.get("title")), tuple(_field(f, f"s{at}.{n}") for n, f in enumerate(one["fields"])))
        for at, one in enumerate(drawn)
    ]


def filled(settings: Any, given: Mapping[str, str]) -> Any:
    """The settings with what was typed, and a mask for every secret that stays as it is stored."""
    changed = deepcopy(masked(settings))
    for name, member in _members(changed):
        field = _field(member, name)
        text = given.get(name, "").strip()
        if field.kind is Kind.SECRET and not text:
            continue
        member["value"] = _typed(field, text, member.get("value"))
    return changed


def _members(settings: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for at, section in enumerate(settings["sections"]):
        for n, member in enumerate(section["fields"]):
            yield f"s{at}.{n}", member


def _is_section(value: Any) -> bool:
    fields = value.get("fields") if isinstance(value, dict) else None
    return isinstance(fields, list) and all(isinstance(one, dict) and _text(one.get("name")) for one in fields)


def _field(member: Mapping[str, Any], name: str) -> Field:
    options = tuple(_options(member.get("options")))
    kind = _KINDS.get(str(member.get("type", "")).lower(), Kind.TEXT)
    if kind is Kind.CHOICE and not options:
        kind = Kind.TEXT
    value = member.get("value")
    hint = _text(member.get("help")) or _text(member.get("description"))
    stored = kind is Kind.SECRET and bool(value)
    return Field(
        name,
        _text(member.get("label")) or str(member["name"]),
        kind,
        "" if kind is Kind.SECRET else _shown(value),
        required=member.get("required") is True and kind is not Kind.CHECK and not stored,
        options=options if kind is Kind.CHOICE else (),
        hint=hint,
        stored=stored,
    )


def _options(given: Any) -> Iterator[Option]:
    """``["a"]``, ``[{"value", "label" or "text"}]`` and ``[["a", "A"]]`` are all in use."""
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict) and "value" in one:
            yield Option(
                _shown(one["value"]), _text(one.get("label")) or _text(one.get("text")) or _shown(one["value"])
            )
        elif isinstance(one, list) and len(one) == 2:
            yield Option(_shown(one[0]), _shown(one[1]))
        elif isinstance(one, str | int | float):
            yield Option(_shown(one), _shown(one))


def _typed(field: Field, text: str, before: Any) -> Any:
    """In the type that it had, where the text allows it."""
    if field.kind is Kind.CHECK:
        return text == "true"
    if not text:
        return None if before is None else ""
    is_number = isinstance(before, int | float) and not isinstance(before, bool)
    if field.kind is Kind.NUMBER or is_number:
        return _number(text)
    return text


def _number(text: str) -> Any:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
