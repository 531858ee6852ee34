"""A product host's developer before a browser: opens links, looks at pages, sends their forms; follows no redirect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import ClientResponse

from dispatcher.model.integration import Integration, Revision
from tests.api.conftest import PRODUCT, Api, Start, publish
from tests.api.worker_hand import WorkerHand

URL = "https://host.example/hook"


@dataclass
class Host:
    """``integration`` is the developer's own; ``other`` is another vendor's, with an event of its own."""

    api: Api
    integration: Integration
    other: Integration
    hand: WorkerHand

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.api.http.port}"

    async def link(self, body: dict[str, Any] | None = None, **changes: Any) -> str:
        """The address of a new link, within this server."""
        given = {"json": body} if body is not None else {}
        path = f"/v1/definitions/{self.integration.id}/portal-links"
        headers = changes.pop("headers", None) or await self.api.bearer()
        made = await self.api.json("POST", path, 201, headers=headers, **given, **changes)
        return str(made["url"]).removeprefix("http://dispatcher.example")

    async def click(self, link: str, **headers: str) -> ClientResponse:
        """Open a link as the script does."""
        path, _, token = link.partition("#")
        return await self.send(path, {"token": token}, form=False, headers=headers)

    async def enter(self) -> None:
        answer = await self.click(await self.link())
        assert (answer.status, answer.headers["Location"]) == (303, "/portal"), await answer.text()

    async def look(self, path: str = "/portal", status: int = 200, **headers: str) -> str:
        answer = await self.api.http.get(path, allow_redirects=False, headers=headers)
        text = await answer.text()
        assert answer.status == status, text
        return text

    async def token(self, page: str = "/portal") -> str:
        """The one in the forms of a page."""
        return (await self.look(page)).partition('name="form" value="')[2].partition('"')[0]

    async def send(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        form: str | bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> ClientResponse:
        """``form``: its token, True = a fresh one, False = none."""
        given = dict(fields or {})
        if form:
            given["form"] = form if isinstance(form, str) else await self.token()
        sent = {"Origin": self.origin} | dict(headers or {})
        return await self.api.http.post(path, data=given, headers=sent, allow_redirects=False)

    async def change(self, **changes: Any) -> None:
        """Of the integration."""
        await self.api.services.definitions.edit(
            self.integration.id,
            lambda one: replace(one, modified_ms=one.modified_ms + 1, **changes),
        )


@pytest.fixture
async def host(start: Start) -> Host:
    """Nobody yet."""
    api = await start(public_base_url="http://dispatcher.example")
    own = await publish(api.services, Revision(urls={"createUrl": URL}), products=(PRODUCT,))
    other = await publish(
        api.services, Revision(urls={"createUrl": "https://other.example/hook"}), products=("P-other",)
    )
    host = Host(api, own, other, WorkerHand(api))
    await host.change(vendor_id="acme", name="Ledger & Sons")
    await api.services.definitions.edit(other.id, lambda one: replace(one, vendor_id="rival", modified_ms=2))
    return host


@pytest.fixture
async def developer(host: Host) -> Host:
    """Visitor who has opened a link."""
    await host.enter()
    return host
