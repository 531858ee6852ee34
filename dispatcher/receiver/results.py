"""Reports results after a 202, until the dispatcher has each or refuses it. Sends a token to the dispatcher alone."""

from __future__ import annotations

import asyncio
import itertools
from types import TracebackType
from typing import Self
from urllib.parse import quote

import aiohttp

from dispatcher.client.errors import ApiError, Unreachable
from dispatcher.client.tokens import Credentials, Tokens
from dispatcher.client.transport import Call, Transport
from dispatcher.receiver.answers import Answer

PAUSES_S = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)
GIVE_UP_AFTER_S = 3600.0
TIMEOUT_S = 10.0


class Results:
    """Use as ``async with Results(url, client_id, client_secret) as results``: credentials of the inbound client."""

    def __init__(self, dispatcher_url: str, client_id: str, client_secret: str) -> None:
        self._url = dispatcher_url.rstrip("/")
        self._credentials = Credentials(client_id, client_secret)
        self._session: aiohttp.ClientSession | None = None
        self._transport: Transport | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        self._transport = Transport(self._session, self._url, Tokens(self._session, self._url, self._credentials))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def report(self, event_id: str, answer: Answer, give_up_after_s: float = GIVE_UP_AFTER_S) -> None:
        """``answer``: ``succeeded(…)`` or ``refused(…)``. Raises ApiError when it is refused, and what was wrong last
        when that lasts. A result is taken once: after a repeat, 409 means that the first one arrived.
        """
        path = f"/api/integration/v1/events/{quote(event_id, safe='')}/result"
        call = Call("POST", path, body=dict(answer.document), safe=False)
        give_up_s = asyncio.get_running_loop().time() + give_up_after_s
        for n in itertools.count():
            problem = await self._send(call, repeated=n > 0)
            if problem is None:
                return
            pause_s = PAUSES_S[min(n, len(PAUSES_S) - 1)]
            if asyncio.get_running_loop().time() + pause_s > give_up_s:
                raise problem
            await asyncio.sleep(pause_s)

    async def _send(self, call: Call, *, repeated: bool) -> ApiError | Unreachable | None:
        """None = the dispatcher has it; else what may be gone in a moment."""
        try:
            await self._connected().call(call)
        except Unreachable as error:
            return error
        except ApiError as error:
            if error.status >= 500 or error.status == 429:
                return error
            if error.status != 409 or not repeated:
                raise
        return None

    def _connected(self) -> Transport:
        if self._transport is None:
            raise RuntimeError("use `async with Results(…)`")
        return self._transport
