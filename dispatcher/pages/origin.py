"""Forms come from our own pages only: what a browser says of where one was sent from (Fetch Metadata, RFC 6454 §7)."""

from __future__ import annotations

from aiohttp import hdrs, web

from dispatcher.errors import Refused


def refuse_other_sites(request: web.Request, base_url: str, page: str) -> None:
    """403 unless the browser says that our own page sent the form. ``page``: the path where people begin."""
    host = request.headers.get(hdrs.HOST, "").lower()
    origin, public = request.headers.get(hdrs.ORIGIN, "").lower(), base_url.lower()
    if public.startswith("https:") and origin == f"http://{host}":
        raise Refused.of("tls_required", f"Open {base_url}{page}: one can sign in over TLS only.")
    ours = origin == public or (host and origin in (f"http://{host}", f"https://{host}"))
    if not ours or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise Refused.of("foreign_origin", "This form was sent by another site; open the page here and send it again.")
