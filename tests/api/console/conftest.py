"""Somebody before a browser: follows no redirect unasked, keeps cookies, and says where a form was sent from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse

from dispatcher.model.integration import Integration, Revision
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, PRODUCT, Api, Start, publish

SIGN_IN, SIGN_OUT = "/console/sign-in", "/console/sign-out"


@dataclass
class Visitor:
    """``look`` at pages, ``send`` forms."""

    api: Api
    integration: Integration

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.api.http.port}"

    async def look(self, path: str, status: int = 200) -> str:
        answer = await self.api.http.get(path, allow_redirects=False)
        text = await answer.text()
        assert answer.status == status, text
        return text

    async def sent_to(self, path: str) -> str:
        """Address that a look at ``path`` is sent to."""
        answer = await self.api.http.get(path, allow_redirects=False)
        assert answer.status == 303, await answer.text()
        return answer.headers["Location"]

    async def send(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> ClientResponse:
        given = {"Origin": self.origin} if headers is None else headers
        return await self.api.http.post(path, data=form, headers=given, allow_redirects=False)

    async def act(self, page: str, path: str, form: Mapping[str, str] | None = None) -> ClientResponse:
        """Send a form that ``page`` shows, with its token."""
        token = (await self.look(page)).partition('name="form" value="')[2].partition('"')[0]
        return await self.send(path, {"form": token} | dict(form or {}))

    async def sign_in(self, client_id: str = ADMIN_ID, secret: str = ADMIN_SECRET, **more: str) -> ClientResponse:
        return await self.send(SIGN_IN, {"client_id": client_id, "client_secret": secret} | more)

    async def sign_in_as_new(self, *scopes: str, account_id: str | None = None, vendor_id: str | None = None) -> str:
        """As a new client with just these scopes; returns its id."""
        client, secret = await self.api.services.clients.create(
            frozenset(scopes), "test", account_id, 0, vendor_id=vendor_id
        )
        assert (await self.sign_in(client.client_id, secret)).status == 303
        return client.client_id


@pytest.fixture
async def visitor(start: Start) -> Visitor:
    """Nobody yet."""
    api = await start(public_base_url="http://dispatcher.example")
    made = await publish(api.services, Revision(urls={"createUrl": "https://host.example/hook"}), products=(PRODUCT,))
    return Visitor(api, made)


@pytest.fixture
async def operator(visitor: Visitor) -> Visitor:
    """Signed in as the administrator."""
    assert (await visitor.sign_in()).status == 303
    return visitor
