"""Files that every page may load: style sheet, scripts, icon. Served under a name that changes with their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aiohttp import web

from dispatcher.api.http.route import Handler
from dispatcher.pages.compression import compress

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """``path`` is where browsers find it; ``kind`` is its media type."""

    path: str
    kind: str
    text: str


@cache
def asset(package: str, file: str) -> Asset:
    """A file of the folder ``static`` of a package."""
    text = files(package).joinpath("static", file).read_text("utf-8")
    stem, _, extension = file.rpartition(".")
    stamp = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Asset(f"/assets/{stem}-{stamp}.{extension}", _KINDS[extension], text)


def mount_assets(app: web.Application, *assets: Asset) -> None:
    """Serve each of them, unless it is served already."""
    known = {resource.canonical for resource in app.router.resources()}
    for one in assets:
        if one.path not in known:
            app.router.add_get(one.path, _serving(one))


def _serving(served: Asset) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.Response(text=served.text, content_type=served.kind, charset="utf-8", headers=_HEADERS)
        await compress(request, response)
        return response

    return serve
