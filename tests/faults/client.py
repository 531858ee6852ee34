"""A marketplace backend: emits through the API and repeats what it got no answer to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, encode_basic_auth

from dispatcher.model.integration import Integration
from tests.faults.deployment import ADMIN, ADMIN_SECRET, Deployment, in_time
from tests.faults.processes import Watched

PRODUCT = "P"
NO_ANSWER = 0

Answer = tuple[int, Mapping[str, str], Any]


class Client:
    """``address`` may be changed when the API comes back elsewhere."""

    def __init__(self, session: ClientSession, program: Watched, address: str) -> None:
        self._session = session
        self.program, self.address, self._token = program, address, ""

    async def log_in(self) -> None:
        headers = {"Authorization": encode_basic_auth(ADMIN, ADMIN_SECRET)}
        form = {"grant_type": "client_credentials"}
        async with self._session.post(f"{self.address}/oauth2/token", data=form, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            self._token = (await answer.json())["access_token"]

    async def emit(self, account: str, key: str, filler: str = "", product: str = PRODUCT) -> Answer:
        """One POST, whatever becomes of it; ``NO_ANSWER`` when the connection broke. ``filler`` makes it larger."""
        payload = {"key": key, "filler": filler} if filler else {"key": key}
        body = {"type": "upgrade", "productId": product, "accountId": account, "payload": payload}
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
        try:
            async with self._session.post(f"{self.address}/v1/events", json=body, headers=headers) as answer:
                return answer.status, answer.headers, await answer.json()
        except (ClientConnectionError, TimeoutError):
            return NO_ANSWER, {}, None

    async def emitted(
        self, account: str, key: str, within_s: float = 20.0, filler: str = "", product: str = PRODUCT
    ) -> str:
        """The id of the event, repeated with its key until there is a 202."""
        async with asyncio.timeout(in_time(within_s)):
            while True:
                status, _, body = await self.emit(account, key, filler, product)
                if status == 202:
                    return str(body["id"])
                if status == 401:  # its token has ended
                    await self.log_in()
                    continue
                assert status in (NO_ANSWER, 503), (status, body)
                await asyncio.sleep(0.05)

    async def post(self, path: str, document: object) -> Answer:
        """Any other request."""
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.post(f"{self.address}{path}", json=document, headers=headers) as answer:
            return answer.status, answer.headers, await answer.json()

    async def get(self, path: str) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.get(f"{self.address}{path}", headers=headers) as answer:
            return answer.status, answer.headers, await answer.json()

    async def read(self, path: str) -> int:
        """The status of an answer that is read to its end, and not looked at."""
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.get(f"{self.address}{path}", headers=headers) as answer:
            async for _ in answer.content.iter_chunked(2**16):
                pass
            return answer.status

    async def status(self, path: str) -> int:
        async with self._session.get(f"{self.address}{path}") as answer:
            return answer.status


@asynccontextmanager
async def client_of(
    deployment: Deployment,
    integration: Integration,
    url: str = "",
    *,
    under: Sequence[str] = (),
    code: str = "",
    **changed: str,
) -> AsyncIterator[Client]:
    """A client of a fresh API, logged in; ``PRODUCT`` is linked to the integration.

    ``url``: the API's Redis; ``changed``: its settings.
    """
    await deployment.definitions.link(PRODUCT, integration.id, 3)
    program, address = await deployment.api(url, under=under, code=code, **changed)
    async with ClientSession(timeout=ClientTimeout(total=15)) as session:
        client = Client(session, program, address)
        await client.log_in()
        yield client
