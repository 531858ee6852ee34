"""The page at ``GET /graphql``: GraphiQL, and without it (no network, no JavaScript) how to send a query.

GraphiQL's files come from a public CDN, each held to its hash; the page may load those and nothing else, may talk to
this server only, and keeps no header, so no token outlives the tab.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

_CDN = "https://unpkg.com"
_SCRIPTS = (
    (
        "/react@18.2.0/umd/react.production.min.js",
        "sha384-tMH8h3BGESGckSAVGZ82T9n90ztNXxvdwvdM6UoR56cYcf+0iGXBliJ29D+wZ/x8",
    ),
    (
        "/react-dom@18.2.0/umd/react-dom.production.min.js",
        "sha384-bm7MnzvK++ykSwVJ2tynSE5TRdN+xL418osEVF2DE/L/gfWHj91J2Sphe582B1Bh",
    ),
    ("/graphiql@3.8.3/graphiql.min.js", "sha384-HbRVEFG0JGJZeAHCJ9Xm2+tpknBQ7QZmNlO/DgZtkZ0aJSypT96YYGRNod99l9Ie"),
)
_STYLE = ("/graphiql@3.8.3/graphiql.min.css", "sha384-Mq3vbRBY71jfjQAt/DcjxUIYY33ksal4cgdRt9U/hNPvHBCaT2JfJ/PTRiPKf0aM")

_START = """
if (window.GraphiQL && window.ReactDOM) {
  const page = document.getElementById("graphiql");
  const example = "# Give a token under Headers: {\\"Authorization\\": \\"Bearer \\u2026\\"}\\n" +
    "{ productIntegrations { id name version } }\\n";
  document.body.classList.add("running");
  ReactDOM.createRoot(page).render(React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: location.pathname }),
    defaultQuery: example,
    defaultEditorToolsVisibility: "headers",
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  }));
}
"""

_START_HASH = base64.b64encode(hashlib.sha256(_START.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src {' '.join(_CDN + path for path, _ in _SCRIPTS)} 'sha256-{_START_HASH}'",
        f"style-src 'unsafe-inline' {_CDN + _STYLE[0]}",
        "font-src data:",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphQL</title>
{style}
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0; }}
main {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ font-size: 14px; overflow-x: auto; padding: 1rem; border: 1px solid; border-radius: 4px; }}
.running main {{ display: none; }}
.running #graphiql {{ height: 100vh; }}
</style>
</head>
<body>
<div id="graphiql"></div>
<main>
<h1>GraphQL</h1>
<p>GraphiQL appears here when its files can be loaded from {cdn}. Without it, send queries to this address with a bearer
token of a client that has a scope for integrations:</p>
<pre>curl -X POST "$BASE_URL/graphql" \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{{"query": "{{ productIntegrations {{ id name version }} }}"}}'</pre>
<p>Any GraphQL client can load the schema from <a href="/graphql/schema">/graphql/schema</a>. This is all of it:</p>
<pre>{sdl}</pre>
</main>
{scripts}
<script>{start}</script>
</body>
</html>
"""


def graphiql_page(sdl: str) -> str:
    """The whole page as HTML."""
    scripts = [f'<script crossorigin src="{_CDN}{path}" integrity="{held}"></script>' for path, held in _SCRIPTS]
    return _PAGE.format(
        cdn=_CDN.removeprefix("https://"),
        sdl=escape(sdl),
        style=f'<link crossorigin rel="stylesheet" href="{_CDN}{_STYLE[0]}" integrity="{_STYLE[1]}">',
        scripts="\n".join(scripts),
        start=_START,
    )
