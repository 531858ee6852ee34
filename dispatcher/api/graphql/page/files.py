"""Files of the page at ``GET /graphql``: GraphiQL and React, as their packages hold them, so that it works offline.

They are kept and sent compressed; their names hold their versions, so a browser may keep them.
"""

from __future__ import annotations

import zlib
from functools import cache
from importlib.resources import files

from aiohttp import hdrs, web

from dispatcher.errors import NotFound

PATH = "/graphql/page"
SCRIPTS = ("react-18.2.0.min.js", "react-dom-18.2.0.min.js", "graphiql-3.8.3.min.js")
STYLE = "graphiql-3.8.3.min.css"
_KINDS = {"js": "text/javascript", "css": "text/css"}
_HEADERS = {
    hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    hdrs.VARY: hdrs.ACCEPT_ENCODING,
}


async def page_file(request: web.Request) -> web.StreamResponse:
    """One of the page's own scripts, or its style sheet."""
    name = request.match_info["file"]
    if name not in (*SCRIPTS, STYLE):
        raise NotFound.of("not_found", "There is no such file; /graphql names those that there are.")
    kind = _KINDS[name.rpartition(".")[2]]
    packed = _packed(name)
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "").lower():
        coded = _HEADERS | {hdrs.CONTENT_ENCODING: "gzip"}
        return web.Response(body=packed, content_type=kind, charset="utf-8", headers=coded)
    return web.Response(body=zlib.decompress(packed, 31), content_type=kind, charset="utf-8", headers=_HEADERS)


@cache
def _packed(name: str) -> bytes:
    return files("dispatcher.api.graphql.page").joinpath("static", f"{name}.gz").read_bytes()
