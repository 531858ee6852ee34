"""The person who acts on the page, for the audit log: named by the link that let them in."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.request.origin import address_of
from dispatcher.api.http.response.middleware import REQUEST_ID
from dispatcher.api.services import SERVICES
from dispatcher.model.audit_entry import Author


def author_of(request: web.Request, link_id: str) -> Author:
    """The entry of the link itself says which client made it."""
    address = address_of(request, request.app[SERVICES].deployment.trusted_proxies)
    return Author(f"portal:{link_id}", (), address, request[REQUEST_ID])
