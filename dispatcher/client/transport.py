"""Sends one request with a token, and repeats it only where that can change nothing twice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from dispatcher.client.errors import ApiError, Unreachable, api_error
from dispatcher.client.tokens import Tokens, read_json

REPEAT_AFTER_S = (0.2, 0.6)
MAX_RETRY_AFTER_S = 5.0
PASSING_STATUSES = frozenset({429, 502, 503, 504})
"""Statuses after which a request is repeated in a moment."""

Query = Mapping[str, str | int] | list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Call:
    """``safe``: sending it twice does what sending it once does. ``takes``: a status that is an answer, too."""

    method: str
    path: str
    query: Query | None = None
    body: Any = None
    headers: Mapping[str, str] | None = None
    safe: bool = True
    takes: int | None = None
    media: str = "application/json"


class Transport:
    """Calls of one API by one client."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, tokens: Tokens) -> None:
        self.session = session
        self.base_url = base_url
        self.tokens = tokens

    async def call(self, call: Call) -> Any:
        """The JSON of a good answer. Raises ApiError and Unreachable."""
        for pause_s in (*REPEAT_AFTER_S, None):
            try:
                return await self._with_fresh_token(call)
            except _Passing as passing:
                if pause_s is None or not (call.safe or passing.unsent):
                    raise passing.error from passing.__cause__
                await asyncio.sleep(max(pause_s, passing.retry_after_s))
        raise AssertionError("the last round returns or raises")

    async def _with_fresh_token(self, call: Call) -> Any:
        """Once more with another token after a 401: the first may have been revoked, or its keys replaced."""
        token = await self._token()
        try:
            return await self._send(call, token)
        except ApiError as error:
            if error.status != 401:
                raise
            self.tokens.forget(token)
        return await self._send(call, await self._token())

    async def _token(self) -> str:
        try:
            return await self.tokens.current()
        except (aiohttp.ClientError, OSError) as error:
            raise _Passing(Unreachable(self.base_url, reason(error)), unsent=True) from error
        except ApiError as error:
            if error.status in PASSING_STATUSES:
                raise _Passing(error, unsent=True) from error
            raise

    async def _send(self, call: Call, token: str) -> Any:
        headers = {**(call.headers or {}), "Authorization": f"Bearer {token}"}
        data = None
        if call.body is not None:
            data, headers["Content-Type"] = orjson.dumps(call.body), call.media
        try:
            async with self.session.request(
                call.method,
                self.base_url + call.path,
                params=call.query,
                data=data,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                return await self._read(answer, call.takes)
        except (aiohttp.ClientError, OSError) as error:
            unsent = isinstance(error, aiohttp.ClientConnectorError)
            raise _Passing(Unreachable(self.base_url, reason(error)), unsent=unsent) from error

    async def _read(self, answer: aiohttp.ClientResponse, takes: int | None) -> Any:
        body = await read_json(answer)
        told = answer.status == takes and isinstance(body, dict) and "errors" not in body
        if told or 200 <= answer.status < 300:
            if isinstance(body, dict) and answer.headers.get("Idempotency-Replayed") == "true":
                return body | {"replayed": True}
            return body
        error = api_error(answer.status, body, answer.headers.get("X-Request-Id"))
        if answer.status in PASSING_STATUSES:
            raise _Passing(error, retry_after_s=_seconds(answer.headers.get("Retry-After", "")))
        raise error


class _Passing(Exception):
    """``error`` may be gone in a moment. ``unsent``: the request did not reach the API, so it may be repeated."""

    def __init__(self, error: ApiError | Unreachable, *, unsent: bool = False, retry_after_s: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.unsent, self.retry_after_s = error, unsent, retry_after_s


def reason(error: Exception) -> str:
    """A few words, without aiohttp's own."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return os.strerror(number).lower() if number and number > 0 else str(error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it hung up without an answer"
    return str(error) or type(error).__name__


def _seconds(text: str) -> float:
    return min(float(text), MAX_RETRY_AFTER_S) if text.isascii() and text.isdigit() else 0.0
