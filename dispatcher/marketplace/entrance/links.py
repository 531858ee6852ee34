"""One-time links: the first GET opens one, and nothing else does. Then it is a session in a cookie."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from aiohttp import hdrs, web

from dispatcher.api.installing import INSTALLING
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.services import SERVICES
from dispatcher.flow.sessions.marketplaces import is_origin
from dispatcher.marketplace.entrance.admission import begin
from dispatcher.marketplace.entrance.guest import HOME, page, texts_for
from dispatcher.marketplace.entrance.handover import LIFE_S, QUERY, handover, ticket
from dispatcher.marketplace.entrance.visit import Visit
from dispatcher.marketplace.entrance.way_back import way_back
from dispatcher.model.installation import Standing
from dispatcher.model.marketplace import Marketplace, MarketplaceSession
from dispatcher.pages.forms import read_form
from dispatcher.pages.framing import is_framed
from dispatcher.pages.origin import refuse_known_strangers
from dispatcher.store.installations.parties.sessions import Opened, Opening

PATH = "/account/signinwithtoken"
_LEAVES_NO_TRACE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_SPECULATIVE = ("prefetch", "preview", "prerender")
_MAX_CHARS = 200


async def head(request: web.Request) -> web.StreamResponse:
    """Link previews and scanners: 200, and the link is as it was."""
    return web.Response(headers=_LEAVES_NO_TRACE)


async def open_link(request: web.Request) -> web.StreamResponse:
    """302 to the marketplace with a session; 410 and a page of its own when the link is used, too old or unknown."""
    if _is_speculative(request):
        return _not_yet()
    token, return_url = _token(request.query.get("token", "")), request.query.get("returnUrl")
    found = await request.app[INSTALLING].links.look(token, request.app[SERVICES].now_ms())
    marketplace = await _marketplace_of(request, found, return_url)
    if marketplace is None or found.outcome is not Opening.OPENED:
        request.app[INSTALLING].counts.link(found.outcome.value.lower())
        return _does_not_open(request, found, marketplace)
    if (stranger := _strange_frame(request, marketplace)) is not None:
        return _not_to_be_framed(request, marketplace, stranger)
    if marketplace.confirm:
        values = {"token_given": token, "return_url": return_url or "", "path": PATH}
        return _traceless(page("confirm.html", marketplace, texts_for(request, None, marketplace), values))
    return await _open(request, token, return_url)


async def confirm_link(request: web.Request) -> web.StreamResponse:
    """Do what "Continue" stands for, where a marketplace asks for it."""
    refuse_known_strangers(request, request.app[SERVICES].deployment.base_url)
    fields = await read_form(request)
    return await _open(request, _token(fields.get("token", "")), fields.get("returnUrl"))


async def take_over(request: web.Request) -> web.StreamResponse:
    """A session that a frame could not keep goes on in this window."""
    if _is_speculative(request):
        return _not_yet()
    services = request.app[SERVICES]
    found = handover(request.query.get(QUERY, ""), services.sealer, services.clock())
    if found is None or not await request.app[OAUTH].revoked.spend(found.id, LIFE_S):
        marketplace = await services.marketplaces.find(found.visit.link.marketplace_id) if found else None
        return _does_not_open(request, Opened(Opening.USED if found else Opening.EXPIRED), marketplace)
    location = found.to or _home(found.visit.link.marketplace_id, found.visit.link.product_id)
    response = web.Response(status=302, headers=_LEAVES_NO_TRACE | {hdrs.LOCATION: location})
    await begin(request, response, found.visit, framed=is_framed(request))
    return response


def _token(given: str) -> str:
    """As it was given out: where an application has not encoded its ``+``, that arrives as a blank."""
    return given[:_MAX_CHARS].replace(" ", "+")


async def _open(request: web.Request, token: str, return_url: str | None) -> web.StreamResponse:
    services = request.app[SERVICES]
    opened = await request.app[INSTALLING].links.open(token, services.now_ms())
    session = opened.session
    request.app[INSTALLING].counts.link(opened.outcome.value.lower())
    if opened.outcome is not Opening.OPENED or session is None:
        return _does_not_open(request, opened, await _marketplace_of(request, opened, return_url))
    visit, framed = Visit.begun(session, services.clock()), is_framed(request)
    location = _local(return_url, session, services.deployment.base_url, request)
    if urlsplit(location)[2:] == (f"{HOME}/{session.marketplace_id}", "", ""):
        location += await _what_needs_somebody(request, session.account_id)
    if framed:
        handed = ticket(visit, services.sealer, services.clock())
        location += ("&" if "?" in location else "?") + urlencode({QUERY: handed})
    response = web.Response(status=302, headers=_LEAVES_NO_TRACE | {hdrs.LOCATION: location})
    await begin(request, response, visit, framed=framed)
    return response


async def _what_needs_somebody(request: web.Request, account_id: str) -> str:
    """The rest of the path to credentials that a product host refuses, if it does."""
    installed, _ = await request.app[SERVICES].customers.list(account_id)
    refused = next((one for one in installed if one.standing is Standing.NEEDS_ATTENTION), None)
    return f"/installations/{refused.id}/credentials" if refused else ""


def _not_yet() -> web.Response:
    """425 (RFC 8470 §5.2): no success, which a browser would keep and show in the place of the opened link."""
    return web.Response(status=425, headers=_LEAVES_NO_TRACE)


def _is_speculative(request: web.Request) -> bool:
    """A browser that only looks ahead says so (Fetch §3.3, and the older name of the header)."""
    purposes = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}".lower()
    return any(word in purposes for word in _SPECULATIVE)


def _local(return_url: str | None, session: MarketplaceSession, base_url: str, request: web.Request) -> str:
    """Within the session's own marketplace; anything else is not heeded."""
    home = _home(session.marketplace_id, session.product_id)
    plain = f"{HOME}/{session.marketplace_id}"
    if not return_url or any(not 32 < ord(char) < 127 or char == "\\" for char in return_url):
        return home
    here = base_url.partition("://")[2] == request.host
    path = return_url.removeprefix(base_url) if return_url.startswith(f"{base_url}/") else return_url
    parts = path.partition("?")[0].split("/")
    if not (path == plain or path.startswith((f"{plain}/", f"{plain}?"))) or {".", ".."} & set(parts) or "%" in path:
        return home
    if path == plain and session.product_id:
        return home
    return return_url if here else path


def _home(marketplace_id: int, product_id: str | None) -> str:
    path = f"{HOME}/{marketplace_id}"
    return f"{path}?{urlencode({'product': product_id})}" if product_id else path


def _strange_frame(request: web.Request, marketplace: Marketplace) -> str | None:
    """The origin of a page that frames this one and may not, when the browser names it."""
    if not is_framed(request):
        return None
    parts = urlsplit(request.headers.get(hdrs.REFERER, ""))
    origin = f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme in ("http", "https") and parts.netloc else ""
    return origin if is_origin(origin) and origin not in marketplace.allowed_origins else None


def _not_to_be_framed(request: web.Request, marketplace: Marketplace, origin: str) -> web.Response:
    """A page without any action, which alone that origin may show, so that somebody reads why."""
    t = texts_for(request, None, marketplace)
    response = page("strange-frame.html", marketplace, t, {"origin": origin, "framed": True}, 403)
    policy = response.headers["Content-Security-Policy"].partition("frame-ancestors")[0]
    response.headers["Content-Security-Policy"] = f"{policy}frame-ancestors {origin}"
    return _traceless(response)


async def _marketplace_of(request: web.Request, opened: Opened, return_url: str | None) -> Marketplace | None:
    """The link's own; of an unknown link the one that it would have led to."""
    marketplaces = request.app[SERVICES].marketplaces
    if opened.session is not None:
        return await marketplaces.find(opened.session.marketplace_id)
    path = urlsplit(return_url or "").path
    number = path.removeprefix(f"{HOME}/").partition("/")[0] if path.startswith(f"{HOME}/") else ""
    return await marketplaces.find(int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None


def _does_not_open(request: web.Request, opened: Opened, marketplace: Marketplace | None) -> web.Response:
    why = opened.outcome if opened.outcome is not Opening.OPENED else Opening.UNKNOWN
    back = way_back(marketplace, opened.session.host_url if opened.session else None)
    values = {"why": why.value.lower(), "way_back": back, "framed": is_framed(request)}
    return _traceless(page("dead-link.html", marketplace, texts_for(request, None, marketplace), values, 410))


def _traceless(response: web.Response) -> web.Response:
    """The token in its address is told to nobody."""
    response.headers.update(_LEAVES_NO_TRACE)
    return response
