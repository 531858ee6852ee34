"""Reads host applications' JSON: names of fields in any case, numbers also as texts. 400 for anything else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.errors import InvalidRequest, Problem, Unprocessable
from dispatcher.policy.strict_json import read_json

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}")
_DIGITS = re.compile(r"[0-9]{1,10}")
MAX_ID = 2**31 - 1
MAX_ENTRIES = 50


async def read_fields(request: web.Request) -> Fields:
    """The object that a request's body is. On this surface whatever cannot be read is 400."""
    require_media(request, JSON)
    try:
        value = read_json(await read_body(request), exact=True)
    except Unprocessable as error:
        raise InvalidRequest(error.problems) from None
    if not isinstance(value, dict):
        raise InvalidRequest.of("not_an_object", "Send a JSON object.")
    return Fields.of(value)


@dataclass(frozen=True, slots=True)
class Fields:
    """One object. ``path``: where it stands in the request, for errors."""

    values: Mapping[str, Any]
    path: str = ""

    @classmethod
    def of(cls, value: Mapping[str, Any], path: str = "") -> Fields:
        """Refuses keys that are equal but for their case: one of two would be heeded, and nobody could say which."""
        values: dict[str, Any] = {}
        for key, one in value.items():
            folded = key.casefold()
            if folded in values:
                raise _refused("duplicate_name", "This field is there twice, in different case.", path + key)
            values[folded] = one
        return cls(values, path)

    def mentions(self, name: str) -> bool:
        return name.casefold() in self.values

    def text(self, name: str, most: int = 255) -> str | None:
        """A text without control characters; None = absent, null or blank."""
        value = self.values.get(name.casefold())
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if not isinstance(value, str):
            raise self.wrong(name, "Give a text.")
        if len(value) > most or _CONTROL.search(value):
            raise self.wrong(name, f"Give at most {most} characters, none of them a control character.")
        return value.strip()

    def label(self, name: str, most: int = 255) -> str | None:
        """A text, or a number that is printed without quotes: a version."""
        value = self.values.get(name.casefold())
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if plain else self.text(name, most)

    def needed(self, name: str, most: int = 255) -> str:
        value = self.text(name, most)
        if value is None:
            raise self.missing(name)
        return value

    def secret(self, name: str, most_bytes: int) -> str | None:
        """A text exactly as it came; None = absent or null."""
        value = self.values.get(name.casefold())
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.wrong(name, "Give a text.")
        if len(value.encode()) > most_bytes:
            raise self.wrong(name, f"Give at most {most_bytes} bytes.")
        return value

    def number(self, name: str) -> int | None:
        """A positive number, also as a text; None = absent, null or empty."""
        value = self.values.get(name.casefold())
        if value is None or value == "":
            return None
        text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
        if not _DIGITS.fullmatch(text) or not 1 <= int(text) <= MAX_ID:
            raise self.wrong(name, "Give its number.")
        return int(text)

    def truth(self, name: str, default: bool) -> bool:
        value = self.values.get(name.casefold())
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.wrong(name, "Give true or false.")
        return value

    def account_id(self, name: str) -> str | None:
        """An id that a scope may hold (RFC 6749 §3.3)."""
        value = self.text(name)
        if value is not None and not _SCOPE.fullmatch(value):
            raise self.wrong(name, "Give 1 to 128 printable ASCII characters without blanks, quotes and backslashes.")
        return value

    def inner(self, name: str) -> Fields | None:
        """An object; None = absent or null."""
        value = self.values.get(name.casefold())
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong(name, "Give a JSON object.")
        return Fields.of(value, f"{self.path}{name}.")

    def entries(self, name: str) -> list[Fields] | None:
        """A list of objects; None = absent or null."""
        value = self.values.get(name.casefold())
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > MAX_ENTRIES:
            raise self.wrong(name, f"Give a JSON array of at most {MAX_ENTRIES} objects.")
        if not all(isinstance(one, dict) for one in value):
            raise self.wrong(name, "Give a JSON array of objects.")
        return [Fields.of(one, f"{self.path}{name}.{at}.") for at, one in enumerate(value)]

    def wrong(self, name: str, how: str) -> InvalidRequest:
        return _refused("invalid_value", how, self.path + name)

    def missing(self, name: str) -> InvalidRequest:
        return _refused("missing_field", "This field is required.", self.path + name)


def _refused(code: str, message: str, field: str) -> InvalidRequest:
    return InvalidRequest([Problem(code, f"{field}: {message}", field)])
