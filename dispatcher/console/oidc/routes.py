"""Addresses of signing in elsewhere, where the settings name a provider."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from dispatcher.api.services import SERVICES
from dispatcher.console.oidc.provider import PROVIDER, Provider
from dispatcher.console.oidc.signing_in import CALLBACK, START, finish, start
from dispatcher.console.signed_in.provider import OIDC, Oidc


def mount_oidc(app: web.Application, oidc: Oidc) -> None:
    app[OIDC], app[PROVIDER] = oidc, Provider(oidc, app[SERVICES].clock)
    app.cleanup_ctx.append(_closing)
    app.router.add_get(START, start)
    app.router.add_get(CALLBACK, finish)


async def _closing(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[PROVIDER].close()
