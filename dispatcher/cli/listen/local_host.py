"""The developer's machine: takes each notification as soon as it listens, one after the other."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

import aiohttp

from dispatcher.cli.listen.answers import Answer
from dispatcher.cli.listen.rendering import Rendered, signed_headers
from dispatcher.client.transport import reason
from dispatcher.policy.notification.signing import SigningKey

TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 64 * 1024
MOST_TRIES = 3
PAUSES_S = (0.2, 0.5, 1.0, 2.0)


class LocalHost:
    """``notice`` hears in words when it cannot be reached."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, key: SigningKey, notice: Callable[[str], None]
    ) -> None:
        self._session = session
        self._url = url
        self._key = key
        self._notice = notice

    async def take(self, one: Rendered, attempt: int = 1) -> Answer:
        """Its answer, whatever that is. While nothing listens there it is tried again without end.

        One that hangs up is tried ``MOST_TRIES`` times, one that does not answer in time once: then the status is 0.
        """
        for tries in itertools.count():
            try:
                return await self._sent(one, attempt)
            except (aiohttp.ClientError, OSError) as error:
                away = isinstance(error, aiohttp.ClientConnectorError)
                if isinstance(error, TimeoutError) or not (away or tries + 1 < MOST_TRIES):
                    return Answer(0, reason(error).encode(), 0.0)
                if not tries:
                    self._notice(f"{self._url} cannot be reached ({reason(error)}); trying again")
                await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
        raise AssertionError("a count has no end")

    async def _sent(self, one: Rendered, attempt: int) -> Answer:
        began_s = time.perf_counter()
        url = f"{self._url}{'&' if '?' in self._url else '?'}{one.query}" if one.query else self._url
        async with self._session.request(
            "POST" if one.content_type else "GET",
            url,
            data=one.body or None,
            headers=signed_headers(one, self._key, attempt, int(time.time())),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
        ) as answer:
            body = await answer.content.read(MAX_ANSWER_BYTES)
            return Answer(answer.status, body, (time.perf_counter() - began_s) * 1000, dict(answer.headers))
