"""The console's templates to answers. No page of it can be framed, or runs a script but its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aiohttp import web

from dispatcher.console.frame.words import STATUS_LOOKS, STATUS_WORDS, TYPE_WORDS
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.pages.assets import asset
from dispatcher.pages.rendering import Templates
from dispatcher.pages.security import page_headers

HEADERS = page_headers(scripts=True)
SCRIPT = asset("dispatcher.console", "console.js")


def page(template: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
    """The template as an HTML answer."""
    return _templates().page(template, {"script": SCRIPT.path} | dict(values), headers=HEADERS, status=status)


@cache
def _templates() -> Templates:
    made = Templates("dispatcher.console")
    made.add_filters({"type_words": _type_words, "status_words": _status_words, "look": _look})
    return made


def _type_words(kind: EventType) -> str:
    return TYPE_WORDS[kind]


def _status_words(status: Status) -> str:
    return STATUS_WORDS[status]


def _look(status: Status) -> str:
    return STATUS_LOOKS.get(status, "off")
