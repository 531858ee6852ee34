"""The console's templates to answers. No page of it can be framed, or runs a script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aiohttp import web

from dispatcher.model.status import Status
from dispatcher.pages.rendering import Templates
from dispatcher.pages.security import page_headers

HEADERS = page_headers()

LOOKS: dict[Status, str] = {
    Status.SUCCEEDED: "ok",
    Status.DELIVERING: "run",
    Status.RETRYING: "warn",
    **dict.fromkeys((Status.QUEUED, Status.HELD, Status.AWAITING_RESULT), "wait"),
    **dict.fromkeys((Status.DEAD, Status.FAILED, Status.EXPIRED), "bad"),
}
"""Colour of a status; any other has none."""


def page(template: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
    """The template as an HTML answer."""
    return _templates().page(template, {"looks": LOOKS} | dict(values), headers=HEADERS, status=status)


@cache
def _templates() -> Templates:
    return Templates("dispatcher.console")
