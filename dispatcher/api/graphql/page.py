"""The page at ``GET /graphql``: the schema as text, and how to send a query. Loads nothing from anywhere."""

from __future__ import annotations

from html import escape

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GraphQL schema</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ font-size: 14px; overflow-x: auto; padding: 1rem; border: 1px solid; border-radius: 4px; }}
</style>
</head>
<body>
<h1>GraphQL</h1>
<p>Send queries to this address with a bearer token of a client that has a scope for integrations:</p>
<pre>curl -X POST "$BASE_URL/graphql" \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{{"query": "{{ productIntegrations {{ id name version }} }}"}}'</pre>
<p>Any GraphQL client can load the schema from <a href="/graphql/schema">/graphql/schema</a>. This is all of it:</p>
<pre>{sdl}</pre>
</body>
</html>
"""


def schema_page(sdl: str) -> str:
    """The whole page as HTML."""
    return _PAGE.format(sdl=escape(sdl))
