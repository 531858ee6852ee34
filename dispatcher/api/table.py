"""Every route of the API in one table. Assembles; never handles."""

from __future__ import annotations

from dispatcher.api import health
from dispatcher.api.documents import asyncapi, docs, openapi
from dispatcher.api.embedding import accounts, connectors, sessions
from dispatcher.api.graphql.routes import routes as graphql_routes
from dispatcher.api.http.route import Route
from dispatcher.api.oauth import routes as oauth
from dispatcher.api.rest.definitions import (
    definitions,
    launch,
    portal_links,
    products,
    retry_preview,
    suspended_urls,
    webhook_keys,
)
from dispatcher.api.rest.events import actions
from dispatcher.api.rest.events.accepting import events as accepting
from dispatcher.api.rest.events.reading import events, stream
from dispatcher.api.rest.events.reading import types as event_types
from dispatcher.api.rest.host import reporting as host
from dispatcher.api.rest.installations import connector_updates, installations, marketplaces, templates
from dispatcher.api.rest.jobs import items as redelivery_items
from dispatcher.api.rest.jobs import redeliveries
from dispatcher.api.rest.operating import audit, clients, metrics, status, type_pauses
from dispatcher.api.rest.operating import queue as operations


def api_routes() -> list[Route]:
    """All routes. Fixed paths come before those with a parameter in the same place: the first that fits is taken."""
    return [
        *accepting.ROUTES,
        *stream.ROUTES,
        *events.ROUTES,
        *actions.ROUTES,
        *redeliveries.ROUTES,
        *redelivery_items.ROUTES,
        *event_types.ROUTES,
        *retry_preview.ROUTES,
        *host.ROUTES,
        *launch.ROUTES,
        *installations.ROUTES,
        *connector_updates.ROUTES,
        *marketplaces.ROUTES,
        *templates.ROUTES,
        *products.ROUTES,
        *definitions.ROUTES,
        *portal_links.ROUTES,
        *sessions.ROUTES,
        *connectors.ROUTES,
        *accounts.ROUTES,
        *graphql_routes,
        *oauth.ROUTES,
        *webhook_keys.ROUTES,
        *operations.ROUTES,
        *type_pauses.ROUTES,
        *suspended_urls.ROUTES,
        *metrics.ROUTES,
        *status.ROUTES,
        *clients.ROUTES,
        *audit.ROUTES,
        *health.ROUTES,
        *openapi.ROUTES,
        *asyncapi.ROUTES,
        *docs.ROUTES,
    ]
