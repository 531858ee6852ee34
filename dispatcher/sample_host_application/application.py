"""A host application: its server asks for a one-time link, its page opens that in a popup or in a frame.

    python -m dispatcher.sample_host_application.application

Reads DISPATCHER_URL, CLIENT_ID, CLIENT_SECRET, MARKETPLACE_ID and PORT.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

Json = dict[str, Any]

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sample shop</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css">
<main><h1>Sample shop</h1><p>You are signed in as <b>USER</b> of <b>ACCOUNT</b>.</p>
<p><button id="connect">Connect</button> <button id="frame">Connect in a frame</button></p>
<iframe id="apps" title="Apps" hidden></iframe>
<h2>What the marketplace has said</h2><ul id="messages" aria-live="polite"></ul></main>
<script src="/script.js"></script></html>
"""
STYLE = """:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 960px; margin: 0 auto; padding: 24px; }
button { font: inherit; padding: 8px 16px; }
iframe { width: 100%; height: 640px; border: 1px solid #8884; border-radius: 8px; }
"""
SCRIPT = """"use strict";
const marketplace = "ORIGIN";
const link = async (inline) => {
  const headers = {"Content-Type": "application/json"};
  const answer = await fetch("/connect", {method: "POST", headers, body: JSON.stringify({inline})});
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).url;
};
document.getElementById("connect").addEventListener("click", async () => {
  const popup = window.open("", "apps", "popup,width=1100,height=800");
  const url = await link(true);
  popup ? popup.location = url : location.assign(url);
});
document.getElementById("frame").addEventListener("click", async () => {
  const frame = document.getElementById("apps");
  frame.src = await link(false);
  frame.hidden = false;
});
addEventListener("message", (event) => {
  if (event.origin !== marketplace) return;
  const line = document.createElement("li");
  line.textContent = [event.data.type, event.data.productId, event.data.status].filter(Boolean).join(" ");
  document.getElementById("messages").append(line);
});
"""


@dataclass(slots=True)
class HostApplication:
    """Use as ``async with``. Every visitor is the one user that it has; a real one knows who is signed in."""

    dispatcher_url: str
    client_id: str
    client_secret: str
    marketplace_id: int
    username: str = "user@example.com"
    account_name: str = "Customer X"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    account_id: str | None = None
    """Kept beside the customer from the first answer on."""
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    async def connect(self, *, inline: bool = True) -> str:
        """Do the server's part of a click on Connect: ask for a link that opens once, within five minutes."""
        asked: Json = {
            "MarketplaceId": self.marketplace_id,
            "Username": self.username,
            "Password": self.password,
            "AccountName": self.account_name,
            "InlineOAuth": inline,
            "HostUrl": self.url,
        }
        if self.account_id is not None:
            asked["AccountId"] = self.account_id
        async with aiohttp.ClientSession(self.dispatcher_url, raise_for_status=True) as session:
            headers = {"Authorization": f"Bearer {await self._token(session)}"}
            async with session.post("/v1.0/users/marketplace", json=asked, headers=headers) as answer:
                made: Json = await answer.json()
        self.account_id = str(made["AccountId"])
        return str(made["MarketplaceUrl"])

    async def start(self, port: int = 0) -> None:
        """Listen on localhost; port 0 = any free one."""
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/style.css", self._style)
        app.router.add_get("/script.js", self._script)
        app.router.add_post("/connect", self._connect)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> HostApplication:
        await self.start(self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _token(self, session: aiohttp.ClientSession) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        async with session.post("/oauth/token", data=form) as answer:
            return str((await answer.json())["access_token"])

    async def _page(self, request: web.Request) -> web.Response:
        text = PAGE.replace("USER", self.username).replace("ACCOUNT", self.account_name)
        return web.Response(text=text, content_type="text/html", headers=self._policy())

    async def _style(self, request: web.Request) -> web.Response:
        return web.Response(text=STYLE, content_type="text/css")

    async def _script(self, request: web.Request) -> web.Response:
        return web.Response(text=SCRIPT.replace("ORIGIN", self._origin()), content_type="text/javascript")

    async def _connect(self, request: web.Request) -> web.Response:
        """A JSON body from our own page only: other sites cannot send one without asking first (CORS)."""
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType
        inline = json.loads(await request.read()).get("inline") is not False
        return web.json_response({"url": await self.connect(inline=inline)}, headers={"Cache-Control": "no-store"})

    def _origin(self) -> str:
        parts = urlsplit(self.dispatcher_url)
        return f"{parts.scheme}://{parts.netloc}"

    def _policy(self) -> dict[str, str]:
        policy = f"default-src 'self'; img-src data:; frame-src {self._origin()}; frame-ancestors 'none'"
        return {"Content-Security-Policy": policy}


async def serve() -> None:
    """Until the process is stopped."""
    application = HostApplication(
        os.environ.get("DISPATCHER_URL", "http://127.0.0.1:8080"),
        os.environ["CLIENT_ID"],
        os.environ["CLIENT_SECRET"],
        int(os.environ.get("MARKETPLACE_ID", "1")),
        port=int(os.environ.get("PORT", "8090")),
    )
    async with application:
        print(f"open {application.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
