"""A receiver as a WSGI application (PEP 3333). Each request has an event loop, so that handlers may be coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from dispatcher.receiver.answers import Answer
from dispatcher.receiver.receiving import Receiver

MAX_BODY_BYTES = 4 * 1024 * 1024

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class WsgiReceiver:
    """POST only, and with ``Content-Length``, as the dispatcher sends it. ``RedisRepeats`` gets a ``redis.Redis``."""

    def __init__(self, receiver: Receiver, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._receiver = receiver
        self._max_body_bytes = max_body_bytes

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answer(environ)
        body = answer.body()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **answer.headers}
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(headers.items()))
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        if environ["REQUEST_METHOD"] != "POST":
            return Answer(405, {"success": False}, {"Allow": "POST"})
        length = environ.get("CONTENT_LENGTH") or ""
        if not (length.isascii() and length.isdigit()):
            return Answer(411, {"success": False})
        if len(length) > 12 or int(length) > self._max_body_bytes:
            return Answer(413, {"success": False})
        return asyncio.run(self._receiver.receive(_headers(environ), environ["wsgi.input"].read(int(length))))


def _headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    prefix = "HTTP_"
    named = [(name.removeprefix(prefix), value) for name, value in environ.items() if name.startswith(prefix)]
    return [(name.replace("_", "-"), value) for name, value in named]
