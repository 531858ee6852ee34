"""JSON answers. Serialises once, with orjson; never decides what an error looks like."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE

JSON = "application/json"

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}" for status in HTTPStatus}


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    """The ``Date`` header (RFC 9110 §6.6.1), formatted once a second."""
    return formatdate(second, usegmt=True)


def json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """``data`` as ``application/json``."""
    return web.Response(body=orjson.dumps(data), status=status, headers=headers, content_type=JSON)


class Receipt(web.Response):
    """A small JSON answer that is given thousands of times a second: sent in one step, at a third of the cost.

    aiohttp's own way serves compression, chunks, cookies and old clients. Whoever asks for one of these gets it.
    """

    _sent = False

    def __init__(self, data: Any, status: int, headers: Mapping[str, str]) -> None:
        body = orjson.dumps(data)
        own = {hdrs.CONTENT_TYPE: JSON, hdrs.CONTENT_LENGTH: str(len(body))}
        super().__init__(body=body, status=status, headers=own | dict(headers))

    @property
    def prepared(self) -> bool:
        return self._sent or super().prepared

    @property
    def keep_alive(self) -> bool | None:
        return self._sent or super().keep_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        usual = request.version == HttpVersion11 and request.keep_alive and request.method == hdrs.METH_POST
        if not usual or super().keep_alive is False:
            return await super().prepare(request)
        self._sent = True
        headers, writer = self.headers, request.writer
        headers[hdrs.DATE] = _date(int(time.time()))
        headers[hdrs.SERVER] = SERVER_SOFTWARE
        await writer.write_headers(_STATUS_LINES[self.status], headers)
        await writer.write_eof(self.body)  # type: ignore[arg-type]
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        if not self._sent:
            await super().write_eof(data)
