"""Answers to an integration's purchase form: which are missing, and which do not fit their field. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from dispatcher.errors import Problem
from dispatcher.model.integration import OrderFormField

MAX_ANSWER_CHARS = 4096
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = re.compile(r"\+?[0-9 ()./-]{3,32}")
_NUMBER = re.compile(r"-?[0-9]{1,15}([.,][0-9]{1,6})?")


def answer_problems(
    fields: Sequence[OrderFormField], answers: Mapping[str, Any], *, required: bool, prefix: str = "configuration"
) -> list[Problem]:
    """One for each field without the answer that it needs (only if ``required``), or with one of another type.

    Answers to no field of the form are let through: they travel as they are.
    """
    return [problem for field in fields for problem in _field_problems(field, answers, required, prefix)]


def _field_problems(
    field: OrderFormField, answers: Mapping[str, Any], required: bool, prefix: str
) -> Iterator[Problem]:
    name, answer = f"{prefix}.{field.name}", answers.get(field.name)
    if answer in (None, ""):
        if required and field.required:
            yield Problem("missing_field", "The purchase form of this product requires an answer here.", name)
        return
    fits, wanted = _TYPES.get(field.type.upper(), _TYPES["TEXT"])
    if not fits(answer):
        yield Problem("invalid_value", f"{field.label or field.name} is {wanted}.", name)


def _is_text(answer: Any) -> bool:
    return isinstance(answer, (str, int, float)) and len(str(answer)) <= MAX_ANSWER_CHARS


def _is_number(answer: Any) -> bool:
    if isinstance(answer, bool):
        return False
    return isinstance(answer, (int, float)) or (isinstance(answer, str) and bool(_NUMBER.fullmatch(answer.strip())))


def _is_truth(answer: Any) -> bool:
    return isinstance(answer, bool) or answer in ("true", "false", "on", "off")


def _is_date(answer: Any) -> bool:
    try:
        return isinstance(answer, str) and len(answer) == 10 and bool(date.fromisoformat(answer))
    except ValueError:
        return False


def _is_url(answer: Any) -> bool:
    if not isinstance(answer, str) or len(answer) > MAX_ANSWER_CHARS or not answer.isprintable() or " " in answer:
        return False
    try:
        parts = urlsplit(answer)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _matching(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda answer: isinstance(answer, str) and bool(pattern.fullmatch(answer.strip()))


_TEXT = (_is_text, f"a text of {MAX_ANSWER_CHARS} characters at most")

_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "TEXT": _TEXT,
    "TEXT_AREA": _TEXT,
    "NUMBER": (_is_number, "a number"),
    "BOOLEAN": (_is_truth, "true or false"),
    "DATE": (_is_date, "a date such as 2026-11-21"),
    "EMAIL": (_matching(_EMAIL), "an e-mail address"),
    "PHONE": (_matching(_PHONE), "a telephone number"),
    "URL": (_is_url, "an http or https URL"),
}
"""By type of field: which answers fit, and what to say of others."""
