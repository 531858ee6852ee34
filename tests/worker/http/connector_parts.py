"""A host on loopback, names that resolve as told, and rules of addresses. Holds no test."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from worker.http.aiohttp_inside.session import guarded_session
from worker.http.connector import AddressRule, blocked_reason


def no_loopback(ip: IPv4Address | IPv6Address) -> str | None:
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return "loopback" if mapped.is_loopback else "unspecified" if mapped.is_unspecified else None


def anything(_: IPv4Address | IPv6Address) -> str | None:
    return None


class Names(AbstractResolver):
    """A name server whose answers a test writes; each lookup takes the next list, the last one stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.lookups: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.lookups.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for ip in found
        ]

    async def close(self) -> None:
        return None


@pytest.fixture
async def host() -> AsyncIterator[TestServer]:
    """Answers 200, sets a cookie, redirects from /moved, and keeps what it was asked."""

    async def answer(request: web.Request) -> web.Response:
        request.app[ASKED].append(request)
        if request.path == "/moved":
            return web.Response(status=307, headers={"Location": "/elsewhere"})
        await request.read()
        return web.Response(text=str(request.content_length), headers={"Set-Cookie": "tenant=1; Path=/"})

    app = web.Application(client_max_size=8 * 2**20)
    app[ASKED] = []
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


ASKED: web.AppKey[list[web.Request]] = web.AppKey("asked", list)


async def refusal(rule: AddressRule, url: str, resolver: AbstractResolver | None = None) -> str | None:
    async with guarded_session(rule, resolver=resolver, connect_timeout_s=5) as session:
        try:
            await session.post(url, b"{}", {}, timeout_s=5)
            return None
        except (OSError, aiohttp.InvalidURL) as error:
            return blocked_reason(error)
