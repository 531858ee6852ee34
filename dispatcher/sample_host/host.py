"""The sample host's HTTP side: a token endpoint and a notification endpoint on a free loopback port."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType

from aiohttp import web

from dispatcher.clock import Seconds, system_clock
from dispatcher.sample_host.inbox import Inbox, Notification
from dispatcher.sample_host.token_desk import TokenDesk

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
NOTIFICATION_PATH = "/notifications"
MAX_BODY_BYTES = 4 * 1024 * 1024


class SampleHost:
    """Use as ``async with``, or ``start`` and ``stop``. Addresses are known once it has started."""

    def __init__(
        self,
        client_id: str = "sample-host",
        client_secret: str = "S3cre1!",  # noqa: S107 - a sample
        clock: Seconds = system_clock,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.port = 0
        self._clock = clock
        self._tokens = TokenDesk(client_id, client_secret, clock)
        self._inbox = Inbox()
        self._arrival = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token_url(self) -> str:
        return self.base_url + TOKEN_PATH

    def notification_url(self, name: str = "") -> str:
        """The address for notifications; a ``name`` makes one of its own."""
        return f"{self.base_url}{NOTIFICATION_PATH}" + (f"/{name}" if name else "")

    @property
    def received(self) -> Sequence[Notification]:
        """Every notification so far, refused ones included."""
        return self._inbox.notifications

    @property
    def tokens_issued(self) -> int:
        return self._tokens.issued

    def trust(self, signing_secret: str) -> None:
        """Check signatures with this secret, which an integration shows once when it is created."""
        self._inbox.trust(signing_secret)

    def be_unavailable(self, times: int) -> None:
        """Answer 503 to the next ``times`` notifications."""
        self._inbox.be_unavailable(times)

    async def wait_for(self, count: int, timeout_s: float = 10.0) -> Sequence[Notification]:
        """The received notifications, once there are ``count``; ``TimeoutError`` when that takes too long."""
        async with asyncio.timeout(timeout_s), self._arrival:
            await self._arrival.wait_for(lambda: len(self.received) >= count)
        return self.received

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post(TOKEN_PATH, self._give_token)
        app.router.add_post(NOTIFICATION_PATH, self._take_notification)
        app.router.add_post(NOTIFICATION_PATH + "/{name}", self._take_notification)
        return app

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 = any free one."""
        self._runner = web.AppRunner(self.app(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> SampleHost:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _give_token(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        status, answer, headers = self._tokens.answer(request.headers.get("Authorization", ""), form)
        return web.json_response(answer, status=status, headers=headers)

    async def _take_notification(self, request: web.Request) -> web.Response:
        body = await request.read()
        authorised = self._tokens.accepts(request.headers.get("Authorization", ""))
        notification = self._inbox.take(request.headers, body, authorised=authorised, now_s=self._clock())
        async with self._arrival:
            self._arrival.notify_all()
        return web.json_response(notification.answer, status=notification.status)
