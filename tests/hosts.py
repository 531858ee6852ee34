"""A product host for tests: a real server on a free loopback port that answers as told and keeps what it got."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from aiohttp import web

from tests.serving import serving

TOKEN_PATH = "/oauth/token"
WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived; ``body`` are the raw bytes, ``arrived_s`` is monotonic."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    arrived_s: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to give. ``hang``: never; ``after``: once that is set; ``reset``: cut the connection instead."""

    status: int = 200
    body: bytes = b'{"success":true}'
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    hang: bool = False
    after: asyncio.Event | None = None
    reset: bool = False

    @classmethod
    def of(cls, status: int = 200, document: Any = None, **headers: str) -> Reply:
        """With a JSON body; ``retry_after="120"`` becomes ``Retry-After: 120``."""
        named = {name.replace("_", "-").title(): value for name, value in headers.items()}
        body = b"" if document is None else json.dumps(document).encode()
        return cls(status, body, {"Content-Type": "application/json", **named})


Answering = Reply | Callable[[Received], Reply]


class TokenEndpoint:
    """Gives ``token-1``, ``token-2`` … unless ``replies`` holds something else to say first."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.replies: deque[Reply] = deque()
        self.expires_in: Any = 3600
        self.delay_s = 0.0
        self.valid: set[str] = set()

    def revoke(self) -> None:
        """No token given so far is valid any more."""
        self.valid.clear()

    def answer(self, request: Received) -> Reply:
        self.requests.append(request)
        if self.replies:
            return self.replies.popleft()
        token = f"token-{len(self.requests)}"
        self.valid.add(token)
        granted = {"access_token": token, "token_type": "Bearer"}
        if self.expires_in is not None:
            granted["expires_in"] = self.expires_in
        return Reply(body=json.dumps(granted).encode(), delay_s=self.delay_s)


class ProductHost:
    """``replies`` are used up in order, then ``default`` answers. Use as ``async with``."""

    def __init__(self, default: Answering = Reply()) -> None:
        self.default = default
        self.replies: deque[Answering] = deque()
        self.by_path: dict[str, Answering] = {}
        self.requests: list[Received] = []
        self.tokens = TokenEndpoint()
        self.requires_token = False
        self.port = 0
        self._arrival = asyncio.Event()
        self._serving = AsyncExitStack()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token_url(self) -> str:
        return self.base_url + TOKEN_PATH

    def url(self, path: str = "/notifications") -> str:
        return self.base_url + path

    def to(self, path: str) -> list[Received]:
        """Requests that arrived at one path."""
        return [request for request in self.requests if request.path == path]

    async def wait_for(self, count: int, timeout_s: float = WAIT_S) -> list[Received]:
        """Every notification so far, once there are ``count``."""
        async with asyncio.timeout(timeout_s):
            while len(self.requests) < count:
                self._arrival.clear()
                await self._arrival.wait()
        return self.requests

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self.port = await self._serving.enter_async_context(serving(app, port))

    async def stop(self) -> None:
        """Refuses connections from now on; ``start(host.port)`` brings it back."""
        await self._serving.aclose()

    async def __aenter__(self) -> ProductHost:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.method, request.path_qs, request.headers, await request.read(), time.monotonic())
        reply = self.tokens.answer(received) if request.path == TOKEN_PATH else self._notified(received)
        if reply.hang:
            await asyncio.sleep(3600)
        if reply.after:
            await reply.after.wait()
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.reset and request.transport is not None:
            request.transport.abort()
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    def _notified(self, request: Received) -> Reply:
        self.requests.append(request)
        self._arrival.set()
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.requires_token and bearer not in self.tokens.valid:
            return Reply(401, b"")
        answering = self.replies.popleft() if self.replies else self.by_path.get(request.path, self.default)
        return answering if isinstance(answering, Reply) else answering(request)
