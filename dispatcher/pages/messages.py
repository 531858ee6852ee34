"""The message catalogue: every text that pages show, by key, in every language that ships. Knows no page.

One file for each language in ``languages/``; all have the same keys, with the same ``{names}``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup, escape

DEFAULT = "en"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")
_MAX_RANGES = 20


@dataclass(frozen=True, slots=True)
class Messages:
    """The texts of one language. Values are escaped unless they are markup; what is missing raises KeyError."""

    language: str
    texts: Mapping[str, str]

    @property
    def direction(self) -> str:
        return "rtl" if self.language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"

    def __call__(self, key: str, **values: Any) -> Markup:
        return escape(self.texts[key]).format(**values)

    def plain(self, key: str, **values: Any) -> str:
        """For what is no HTML: a header, a title that is escaped elsewhere, JSON."""
        return self.texts[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self.texts


@cache
def languages() -> tuple[str, ...]:
    """Every language that ships, the default first."""
    found = sorted(one.name.removesuffix(".toml") for one in _folder() if one.name.endswith(".toml"))
    return (DEFAULT, *(name for name in found if name != DEFAULT))


@cache
def messages(language: str) -> Messages:
    """The texts of a language that ships."""
    text = files("dispatcher.pages").joinpath("languages", f"{language}.toml").read_text("utf-8")
    return Messages(language, dict(_flat(tomllib.loads(text))))


def choose(wanted: Iterable[str | None], accept_language: str = "", otherwise: str | None = None) -> Messages:
    """The first of ``wanted`` that ships, else the best of the header (RFC 9110 §12.5.4), else ``otherwise``."""
    for tag in (*wanted, *_accepted(accept_language), otherwise):
        if tag and (found := _shipped(tag)):
            return messages(found)
    return messages(DEFAULT)


def _shipped(tag: str) -> str | None:
    """``de-AT`` finds ``de``."""
    tag = tag.lower()
    while tag:
        if tag in languages():
            return tag
        tag = tag.rpartition("-")[0]
    return None


def _accepted(header: str) -> list[str]:
    ranked = []
    for part in header.split(",")[:_MAX_RANGES]:
        match = _RANGE.fullmatch(part)
        if match and match[1] != "*" and (quality := float(match[2] or 1)) > 0:
            ranked.append((quality, match[1]))
    return [tag for _, tag in sorted(ranked, key=lambda one: -one[0])]


def _folder() -> Iterator[Any]:
    return files("dispatcher.pages").joinpath("languages").iterdir()


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
