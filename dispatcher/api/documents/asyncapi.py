"""GET /asyncapi.json: the AsyncAPI document of all that is sent to hosts. Made once in a process."""

from __future__ import annotations

from functools import cache
from typing import Any

from aiohttp import web

import dispatcher
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.catalogue.asyncapi import asyncapi_document


async def asyncapi(request: web.Request) -> web.StreamResponse:
    """Channels are the URLs of an integration, messages the event types with their payloads."""
    return json_response(_document(), headers={"Cache-Control": "no-cache"})


@cache
def _document() -> dict[str, Any]:
    return asyncapi_document("Marketplace dispatcher", dispatcher.__version__)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/asyncapi.json", asyncapi, None, "What is sent to hosts, as AsyncAPI 3", tag="documentation"),
)
