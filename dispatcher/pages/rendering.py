"""Templates to answers. Everything that is shown is escaped; a name that is not given is an error, not a blank."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from aiohttp import web
from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined

from dispatcher.clock import iso_ms
from dispatcher.pages.assets import asset

STYLE_SHEET = asset("dispatcher.pages", "pages.css")
ICON = asset("dispatcher.pages", "icon.svg")
MAX_INDENTED_CHARS = 500_000
"""Longer JSON is shown without indentation, which can multiply it."""
TINTS = 6
"""Colours of letter logos in the style sheet."""


class Templates:
    """The templates of one room; those that all share are found below ``pages/``."""

    def __init__(self, package: str) -> None:
        shared = PrefixLoader({"pages": PackageLoader("dispatcher.pages")})
        self._made = Environment(
            loader=ChoiceLoader([PackageLoader(package), shared]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._made.filters |= {
            "ago": ago,
            "iso": iso_ms,
            "clock": clock_time,
            "pretty": pretty,
            "duration": _duration,
            "letters": letters,
            "tint": tint,
        }
        self._made.globals |= {"style_sheet": STYLE_SHEET.path, "icon": ICON.path}

    def add_filters(self, filters: Mapping[str, Callable[..., Any]]) -> None:
        """Of this room alone."""
        self._made.filters |= dict(filters)

    def page(
        self, name: str, values: Mapping[str, Any], *, headers: Mapping[str, str], status: int = 200
    ) -> web.Response:
        """The template as an HTML answer."""
        text = self._made.get_template(name).render(values)
        return web.Response(text=text, status=status, content_type="text/html", charset="utf-8", headers=headers)


def ago(epoch_ms: int, now_ms: int) -> str:
    """``3 min ago``, ``in 20 s``: the largest unit that is at least one."""
    seconds = abs(now_ms - epoch_ms) / 1000
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            told = f"{seconds / size:.0f} {unit}"
            break
    else:
        told = f"{seconds:.0f} s"
    return f"{told} ago" if epoch_ms <= now_ms else f"in {told}"


def clock_time(epoch_ms: int) -> str:
    """``14:02:05``, UTC."""
    return iso_ms(epoch_ms)[11:19]


def letters(name: str) -> str:
    """``BN`` for "BigCommerce – NetSuite": the first letters of the first two words that have one."""
    words = [word for word in "".join(char if char.isalnum() else " " for char in name).split() if word]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def tint(name: str) -> int:
    """The colour of a letter logo: the same for a name everywhere."""
    return sum(name.encode("utf-8", "replace")) % TINTS


def pretty(value: Any) -> str:
    indented = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    return (indented if len(indented) <= MAX_INDENTED_CHARS else orjson.dumps(value)).decode()


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
