"""Gets access tokens from the API's own token endpoint and keeps them until shortly before they expire."""

from __future__ import annotations

import asyncio
import base64
import time
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp

from dispatcher.client.assertions import KeyCredentials
from dispatcher.client.errors import api_error

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
REFRESH_BEFORE_S = 30.0


@dataclass(frozen=True, slots=True)
class Credentials:
    client_id: str
    client_secret: str

    def basic(self) -> str:
        """The Authorization header: both parts form-encoded (RFC 6749 §2.3.1)."""
        pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def asked(self, _: str) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and fields that a token request shows."""
        return {"Authorization": self.basic()}, {}


class Tokens:
    """One token for all calls; those that need it at the same time share one request."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, credentials: Credentials | KeyCredentials
    ) -> None:
        self._session = session
        self._url = base_url + TOKEN_PATH
        self._credentials = credentials
        self._lock = asyncio.Lock()
        self._token = ""
        self._good_until_s = 0.0

    async def current(self) -> str:
        """Raises ApiError when it is refused, and what aiohttp raises when nobody answers."""
        async with self._lock:
            if time.monotonic() >= self._good_until_s:
                await self._fetch()
            return self._token

    def forget(self, token: str) -> None:
        """The API took ``token`` no more: the next call gets another."""
        if token == self._token:
            self._good_until_s = 0.0

    async def _fetch(self) -> None:
        asked_s = time.monotonic()
        headers, shown = self._credentials.asked(self._url)
        form = {"grant_type": "client_credentials", **shown}
        async with self._session.post(self._url, data=form, headers=headers, allow_redirects=False) as answer:
            body = await read_json(answer)
            if answer.status != 200 or not isinstance(body, dict) or not body.get("access_token"):
                raise api_error(answer.status, body, answer.headers.get("X-Request-Id"))
        self._token = str(body["access_token"])
        self._good_until_s = asked_s + max(float(body.get("expires_in", 0)) - REFRESH_BEFORE_S, 1.0)


async def read_json(answer: aiohttp.ClientResponse) -> object:
    """The body, or None when it is not JSON: something between us and the API may have answered."""
    try:
        return await answer.json(content_type=None)
    except ValueError:
        return None
