"""People sign in by themselves, with user name and password, and out again."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from dispatcher.api.installing import INSTALLING
from dispatcher.api.services import SERVICES
from dispatcher.errors import Refused, RequestError
from dispatcher.marketplace.entrance.admission import begin, end_visit, guest_at, not_signed_in, of_another_session
from dispatcher.marketplace.entrance.guest import HOME, page, redirect, texts_for
from dispatcher.marketplace.entrance.visit import Visit, cookie_of, visits_in
from dispatcher.model.account import Account, User
from dispatcher.model.marketplace import Marketplace, MarketplaceSession
from dispatcher.pages.fields import Field, Kind
from dispatcher.pages.forms import read_form, read_token
from dispatcher.pages.framing import is_framed
from dispatcher.pages.messages import Messages
from dispatcher.pages.origin import refuse_other_sites

SIGN_IN = "/account/signin"
SIGN_OUT = "/account/signout"
MAX_USERNAME_CHARS, MAX_PASSWORD_BYTES = 254, 1024


async def show_form(request: web.Request) -> web.StreamResponse:
    """For the marketplace of ``?marketplace=``, else the only one there is."""
    marketplace = await _marketplace(request, request.query.get("marketplace"))
    return _form(request, marketplace, {"marketplace": request.query.get("marketplace", "")})


async def sign_in(request: web.Request) -> web.StreamResponse:
    """303 to the apps; 401 and the form again when user name and password do not fit, 429 after too many tries."""
    services = request.app[SERVICES]
    refuse_other_sites(request, services.deployment.base_url, SIGN_IN)
    given = await read_form(request)
    username = given.get("username", "").strip()[:MAX_USERNAME_CHARS]
    marketplace = await _marketplace(request, given.get("marketplace"))
    found = await _known(request, username, given.get("password", ""), marketplace)
    if found is None or marketplace is None:
        return _form(request, marketplace, given, wrong=True)
    visit = _begun(*found, marketplace, services.clock())
    response = redirect(f"{HOME}/{marketplace.id}")
    await begin(request, response, visit, framed=is_framed(request))
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """The session ends in this browser, and wherever else its cookie may be."""
    services = request.app[SERVICES]
    refuse_other_sites(request, services.deployment.base_url, SIGN_IN)
    token, marketplace = read_token(await read_form(request), services.sealer), None
    for visit, _ in visits_in(request, services):
        if token is None:
            raise Refused.of("form_token", texts_for(request, visit, None).plain("problem.form_old"))
        if (token.session_id, token.account_id) != (visit.id, visit.link.account_id):
            guest = await guest_at(request, visit.link.marketplace_id)
            return of_another_session(guest, token) if guest else await not_signed_in(request)
        await end_visit(request, visit)
        marketplace = await services.marketplaces.find(visit.link.marketplace_id)
    response = page("signed-out.html", marketplace, texts_for(request, None, marketplace), {})
    cookie_of(services, framed=is_framed(request)).drop(response)
    return response


async def _known(
    request: web.Request, username: str, password: str, marketplace: Marketplace | None
) -> tuple[Account, User] | None:
    if not username or not password or len(password.encode()) > MAX_PASSWORD_BYTES or marketplace is None:
        return None
    try:
        return await request.app[INSTALLING].sign_in.sign_in(username, password, marketplace.id)
    except RequestError as error:
        if error.status not in (401, 404):
            raise
        return None


def _begun(account: Account, user: User, marketplace: Marketplace, now_s: float) -> Visit:
    return Visit.begun(MarketplaceSession(account.id, user.id, marketplace.id, account.session_epoch), now_s)


async def _marketplace(request: web.Request, number: str | None) -> Marketplace | None:
    marketplaces = request.app[SERVICES].marketplaces
    if not number:
        there = await marketplaces.all()
        return there[0] if len(there) == 1 else None
    fits = number.isascii() and number.isdigit() and len(number) < 11
    return await marketplaces.find(int(number)) if fits else None


def _form(
    request: web.Request, marketplace: Marketplace | None, given: dict[str, str], *, wrong: bool = False
) -> web.Response:
    t = texts_for(request, None, marketplace)
    fields = _fields(t, marketplace, given)
    values = {"fields": fields, "wrong": wrong, "path": SIGN_IN}
    return page("sign-in.html", marketplace, t, values, 401 if wrong else 200)


def _fields(t: Messages, marketplace: Marketplace | None, given: dict[str, str]) -> tuple[Field, ...]:
    username = Field("username", t.plain("signin.username"), Kind.TEXT, required=True, complete="username")
    password = Field("password", t.plain("signin.password"), Kind.SECRET, required=True, complete="current-password")
    username = replace(username, value=given.get("username", "")[:MAX_USERNAME_CHARS])
    if marketplace is not None:
        return username, password
    number = Field("marketplace", t.plain("signin.marketplace"), value=given.get("marketplace", "")[:10], required=True)
    return replace(number, hint=t.plain("signin.marketplace_hint")), username, password
