"""/v1/definitions/{id}/portal-links: links to the page of a product host's developers, and ending what they opened."""

from __future__ import annotations

from aiohttp import hdrs, web
from pydantic import Field

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.models import Origin, Wire
from dispatcher.api.services import SERVICES
from dispatcher.clock import iso_ms
from dispatcher.errors import Problem, Refused, Unprocessable
from dispatcher.flow.integrations.products.portal_links import make_portal_link
from dispatcher.flow.sessions.marketplaces import is_origin
from dispatcher.model.access import Scope
from dispatcher.model.integration import Integration
from dispatcher.model.portal import LIFETIME_MS
from dispatcher.policy.strict_json import read_object
from dispatcher.store.access.portal_links import PortalLinks

PORTAL_LINKS = web.AppKey("portal_links", PortalLinks)
OPEN_PATH = "/portal/open"
MAX_ORIGINS = 20


class PortalLinkIn(Wire):
    """A page in a frame of another site is shown to the sites that are named here, and to nobody else."""

    framed_by: list[Origin] = Field(
        default_factory=list,
        max_length=MAX_ORIGINS,
        description="Origins whose pages may show it: https://host[:port], lower case.",
    )


class PortalLinkOut(Wire):
    """``url`` opens once, until then. What stands behind its # is a secret and is shown only here."""

    url: str
    expires_at: str


async def create_link(request: web.Request) -> web.StreamResponse:
    """201; whoever opens it sees this integration's deliveries, may redeliver, ping, and rotate its signing keys."""
    services, integration = request.app[SERVICES], await _integration(request)
    links = request.app[PORTAL_LINKS].noted(noting(request, "createPortalLink"))
    framed_by = await _origins(request)
    made = await make_portal_link(links, integration, request[CALLER].client_id, framed_by, services.now_ms())
    url = f"{services.deployment.base_url}{OPEN_PATH}/{made.link.id}#{made.token}"
    body = {"url": url, "expiresAt": iso_ms(made.link.expires_ms)}
    return json_response(body, 201, {hdrs.CACHE_CONTROL: "no-store"})


async def end_links(request: web.Request) -> web.StreamResponse:
    """204; every link that was made for the integration so far, and every session that one opened, is over."""
    services, integration = request.app[SERVICES], await _integration(request)
    links = request.app[PORTAL_LINKS].noted(noting(request, "endPortalLinks"))
    kept_ms = int(services.deployment.session_lifetime_s * 1000) + LIFETIME_MS
    await links.end(integration.id, services.now_ms(), kept_ms)
    return web.Response(status=204)


async def _integration(request: web.Request) -> Integration:
    caller = request[CALLER]
    if caller.account_id is not None:
        text = "The page shows events of every account: use a client that is bound to none."
        raise Refused.of("account_restricted", text)
    return await request.app[SERVICES].definitions.of_vendor(caller.vendor_id).needed(request.match_info["id"])


async def _origins(request: web.Request) -> tuple[str, ...]:
    body = await read_body(request)
    if not body:
        return ()
    require_media(request, JSON)
    asked = validated(PortalLinkIn, read_object(body)).framed_by
    text = "Give an origin as browsers send it: https://host[:port] in lower case, without a path."
    wrong = [Problem("invalid_value", text, f"framedBy.{at}") for at, one in enumerate(asked) if not is_origin(one)]
    if wrong:
        raise Unprocessable(wrong)
    return tuple(dict.fromkeys(asked))


_PATH = "/v1/definitions/{id}/portal-links"
_MAKE = (Scope.PORTAL_CREATE, Scope.INTEGRATIONS_WRITE)

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        _PATH,
        create_link,
        _MAKE,
        "Make a link to the product host's page",
        PortalLinkIn,
        {201: PortalLinkOut},
        tag="definitions",
        vendors=True,
        body_optional=True,
    ),
    Route(
        "DELETE",
        _PATH,
        end_links,
        _MAKE,
        "End links and sessions of the product host's page",
        answers={204: None},
        tag="definitions",
        vendors=True,
    ),
)
