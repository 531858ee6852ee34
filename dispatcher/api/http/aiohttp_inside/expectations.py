"""Answers what a request expects and cannot have, in the form of every other error. Expects nothing itself.

aiohttp's own answer is a line of plain text, and passes every middleware by.
"""

from __future__ import annotations

import os

from aiohttp import HttpVersion11, hdrs, web

from dispatcher.api.http.aiohttp_inside.direct_routes import RequestHandler
from dispatcher.api.http.response.errors import error_body
from dispatcher.api.http.response.middleware import NOT_KEPT, REQUEST_ID_HEADER
from dispatcher.api.http.response.respond import SERVER, json_response
from dispatcher.errors import Problem, RequestError

_CONTINUE = "100-continue"


def meeting_expectations(general: RequestHandler) -> RequestHandler:
    """``general`` behind 417 for whatever is not ``Expect: 100-continue`` (RFC 9110 §10.1.1)."""

    async def refuse(message: web.BaseRequest) -> web.StreamResponse:
        request_id = os.urandom(8).hex()
        text = f"Only {_CONTINUE} can be expected here; leave the header out."
        error = RequestError([Problem("expectation_failed", text, hdrs.EXPECT)], 417)
        headers = NOT_KEPT | {REQUEST_ID_HEADER: request_id, hdrs.SERVER: SERVER}
        response = json_response(error_body(message.path, error, request_id), error.status, headers)
        response.force_close()
        return response

    async def handle(message: web.BaseRequest) -> web.StreamResponse:
        expected = message.headers.get(hdrs.EXPECT)
        if expected is None or expected.lower() == _CONTINUE or message.version < HttpVersion11:
            return await general(message)
        return await refuse(message)

    return handle
