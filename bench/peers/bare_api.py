"""The third peer: the shortest aiohttp handler that reads a body and answers 202. Checks nothing, keeps nothing."""

from __future__ import annotations

import asyncio
import contextlib

import uvloop
from aiohttp import web

from dispatcher.cli.processes.startup import collect_rarely

ANSWER = b'{"id":"01931a2b-0000-7000-8000-000000000000","status":"QUEUED"}'


async def accept(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=202, body=ANSWER, content_type="application/json")


async def main() -> None:
    app = web.Application()
    app.router.add_post("/v1/events", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    print(f"listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        collect_rarely()
        uvloop.run(main())
