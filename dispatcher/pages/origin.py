"""Forms come from our own pages only: what a browser says of where one was sent from (Fetch Metadata, RFC 6454 §7)."""

from __future__ import annotations

from aiohttp import hdrs, web

from dispatcher.errors import Refused

_UNSAID = ("", "null")


def refuse_other_sites(request: web.Request, base_url: str, page: str) -> None:
    """403 unless the browser says that our own page sent the form. ``page``: the path where people begin."""
    host, origin = request.headers.get(hdrs.HOST, "").lower(), _origin(request)
    if base_url.startswith("https:") and origin == f"http://{host}":
        raise Refused.of("tls_required", f"Open {base_url}{page}: one can sign in over TLS only.")
    if not _is_ours(request, base_url) or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise _foreign()


def refuse_known_strangers(request: web.Request, base_url: str) -> None:
    """403 when the browser says that another site sent the form. Pages that send no referrer send no origin either."""
    said = _origin(request) not in _UNSAID
    if (said and not _is_ours(request, base_url)) or request.headers.get("Sec-Fetch-Site", "none") not in (
        "same-origin",
        "none",
    ):
        raise _foreign()


def _is_ours(request: web.Request, base_url: str) -> bool:
    host, origin = request.headers.get(hdrs.HOST, "").lower(), _origin(request)
    return origin == base_url.lower() or bool(host and origin in (f"http://{host}", f"https://{host}"))


def _origin(request: web.Request) -> str:
    return request.headers.get(hdrs.ORIGIN, "").lower()


def _foreign() -> Refused:
    return Refused.of("foreign_origin", "This form was sent by another site; open the page here and send it again.")
