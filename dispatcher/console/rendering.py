"""Templates to answers. Everything that is shown is escaped, and the browser may load nothing but our own style."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from dispatcher.clock import iso_ms

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with "no-referrer" browsers name no origin when a form is sent
    "X-Content-Type-Options": "nosniff",
}
MAX_INDENTED_CHARS = 500_000
"""Longer JSON is shown without indentation, which can multiply it."""


def page(template: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
    """The template as an HTML answer."""
    text = _templates().get_template(template).render(values)
    return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)


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


@cache
def style() -> str:
    return files("dispatcher.console").joinpath("static/console.css").read_text("utf-8")


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("dispatcher.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"ago": ago, "iso": iso_ms, "pretty": _pretty, "duration": _duration}
    return made


def _pretty(value: Any) -> str:
    indented = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    return (indented if len(indented) <= MAX_INDENTED_CHARS else orjson.dumps(value)).decode()


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
