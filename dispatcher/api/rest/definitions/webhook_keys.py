"""GET /.well-known/webhook-keys/…: the public keys that verify an integration's notifications. Shows no secret."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.api.rest.definitions.models import WebhookKeysOut
from dispatcher.api.services import SERVICES
from dispatcher.errors import NotFound
from dispatcher.policy.notification.signing import published_key

_CACHEABLE = {"Cache-Control": "public, max-age=60"}


async def webhook_keys(request: web.Request) -> web.StreamResponse:
    """A JSON Web Key Set (RFC 7517). A key that was replaced stays in it until its overlap ends."""
    services = request.app[SERVICES]
    asked = request.match_info["integrationId"]
    integration = await services.cache.integration(asked)
    if integration is None or integration.id != asked:
        raise NotFound.of("not_found", "There is no such integration; give its UUID.", "integrationId")
    now_ms = services.now_ms()
    signing = [one for one in integration.signing_secrets if one.public_key and one.signs_at(now_ms)]
    return json_response({"keys": [published_key(one.public_key or "") for one in signing]}, headers=_CACHEABLE)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/.well-known/webhook-keys/{integrationId}",
        webhook_keys,
        None,
        "Public keys that verify an integration's notifications",
        answers={200: WebhookKeysOut},
        tag="signatures",
    ),
)
