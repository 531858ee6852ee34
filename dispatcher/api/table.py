"""Every route of the API in one table. Assembles; never handles."""

from __future__ import annotations

from dispatcher.api import health
from dispatcher.api.oauth import routes as oauth
from dispatcher.api.rest import accepting, events
from dispatcher.api.route import Route


def api_routes() -> list[Route]:
    """All routes, fixed paths before those with a parameter in the same place."""
    return [*accepting.ROUTES, *events.ROUTES, *oauth.ROUTES, *health.ROUTES]
