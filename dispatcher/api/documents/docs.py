"""GET /docs: the OpenAPI document as one page to read. No script, nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

import orjson
from aiohttp import web

from dispatcher.api.documents.openapi import DESCRIBED, Document
from dispatcher.api.http.route import Route

_STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;text-transform:capitalize}
details{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.5rem .8rem}
summary{cursor:pointer}
code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.7rem;border-radius:.4rem;overflow:auto}
.method{display:inline-block;min-width:4.2rem;font-weight:700}
.scope{font-size:.85em;opacity:.75}
"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


async def docs(request: web.Request) -> web.StreamResponse:
    page = render(request.app[DESCRIBED].document)
    return web.Response(text=page, content_type="text/html", headers=HEADERS)


def render(document: Document) -> str:
    """The page. Operations are grouped by their first tag, models follow."""
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append(_operation(method.upper(), path, operation))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(items)}" for tag, items in groups.items())
    models = "".join(_model(name, schema) for name, schema in document["components"]["schemas"].items())
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>"
        f'<p>Machine-readable: <a href="/openapi.json">/openapi.json</a>. Get a token from '
        f"<code>POST /oauth2/token</code> and send it as <code>Authorization: Bearer …</code>.</p>"
        f"{sections}<h2>Models</h2>{models}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    scopes = " or ".join(scope for entry in operation["security"] for scope in entry.get("oauth2", ())) or "public"
    parts = {name: operation[name] for name in ("parameters", "requestBody", "responses") if name in operation}
    return (
        f'<details><summary><span class="method">{method}</span> <code>{escape(path)}</code> '
        f'{escape(operation["summary"])} <span class="scope">{escape(scopes)}</span></summary>'
        f"<p>{escape(operation.get('description', ''))}</p>{_json(parts)}</details>"
    )


def _model(name: str, schema: dict[str, Any]) -> str:
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>'


def _json(value: Any) -> str:
    return f"<pre>{escape(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())}</pre>"


ROUTES: tuple[Route, ...] = (Route("GET", "/docs", docs, None, "This document as a page", tag="documentation"),)
