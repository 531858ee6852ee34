"""The page at ``GET /graphql``: GraphiQL, and without JavaScript how to send a query.

It loads and talks to nothing but this server, and keeps no header, so no token outlives the tab.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

from dispatcher.api.graphql.page.files import PATH, SCRIPTS, STYLE

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
        f"script-src 'self' 'sha256-{_START_HASH}'",
        "style-src 'self' 'unsafe-inline'",
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
<p>GraphiQL appears here where scripts may run. Without it, send queries to this address with a bearer token of a client
that has a scope for integrations:</p>
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
    scripts = [f'<script src="{PATH}/{name}"></script>' for name in SCRIPTS]
    return _PAGE.format(
        sdl=escape(sdl),
        style=f'<link rel="stylesheet" href="{PATH}/{STYLE}">',
        scripts="\n".join(scripts),
        start=_START,
    )
