"""The form for one connection: where an app finds the customer's data, and as whom. Tried before it is saved."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import hdrs, web

from dispatcher.api.installing import AUTHORIZING, CONNECTING
from dispatcher.errors import Conflict, NotFound, RequestError
from dispatcher.flow.connectors.authorizing import marketplace_of_state
from dispatcher.flow.connectors.connecting import Credentials
from dispatcher.marketplace.apps.lookups import installation_in, product_of
from dispatcher.marketplace.apps.standing import host_of, name_of
from dispatcher.marketplace.entrance.admission import guest_at, not_signed_in
from dispatcher.marketplace.entrance.guest import Guest, redirect
from dispatcher.marketplace.entrance.handover import PATH as HANDOVER
from dispatcher.marketplace.entrance.handover import QUERY, ticket
from dispatcher.model.connector import AccountConnector, ConnectorAuth, ConnectorTemplate
from dispatcher.model.installation import Installation
from dispatcher.pages.fields import Field, Kind, Option, checked, marked, typed
from dispatcher.pages.forms import Sent, wrongs
from dispatcher.pages.messages import Messages
from dispatcher.policy.addresses.url_properties import names_a_host

_NO_TRACE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_PREFIX = "property."
_IN_REQUESTS = "Properties."
_AUTH = "AuthValue"
_KINDS = (ConnectorAuth.BASIC, ConnectorAuth.API_KEY, ConnectorAuth.OAUTH)
_KIND_KEYS = {
    ConnectorAuth.BASIC: "connection.kind_basic",
    ConnectorAuth.API_KEY: "connection.kind_key",
    ConnectorAuth.OAUTH: "connection.kind_token",
}


@dataclass(frozen=True, slots=True)
class Connection:
    """The subject of the form. ``connector`` None = nothing is stored yet."""

    name: str
    template: ConnectorTemplate | None
    connector: AccountConnector | None
    urls: tuple[str, ...] = ()
    """Address that the app's notifications go to, as configured."""

    @property
    def kind(self) -> ConnectorAuth | None:
        """None = whoever fills in the form says."""
        return (self.template.auth_type if self.template else None) or (
            self.connector.auth_kind if self.connector else None
        )


async def show_connection(request: web.Request, guest: Guest) -> web.StreamResponse:
    installation = await installation_in(request, guest)
    connection = await _connection(request, guest, installation)
    fields = form_of(connection, guest.t, request.query.get("kind"))
    return await _page(guest, installation, connection, fields)


async def save_connection(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """303 to the installation once the credentials have worked; 422, and nothing saved, when they have not.

    409 during a managed update, whose page offers no form.
    """
    installation = await installation_in(request, guest)
    if installation.update_in_progress:
        name = name_of(await product_of(installation.product_id, guest), installation)
        raise Conflict.of("update_in_progress", guest.t.plain("connection.locked", name=name))
    connection = await _connection(request, guest, installation)
    form = form_of(connection, guest.t, sent.fields.get("kind"))
    wrong = checked(form, sent.fields, guest.t)
    if not wrong:
        try:
            credentials = _credentials(connection, form, sent.fields)
            await request.app[CONNECTING].save(installation, connection.name, credentials, guest.customer)
            return redirect(guest.path("installations", installation.id, said="connected"))
        except RequestError as error:
            if error.status not in (400, 409, 422):
                raise
            wrong = _beside(error, form)
    return await _page(guest, installation, connection, marked(typed(form, sent.fields), wrong), wrong)


async def authorize(request: web.Request, guest: Guest) -> web.StreamResponse:
    """To the authorization server of the connection's template."""
    installation = await installation_in(request, guest)
    name = request.match_info["connection"]
    location = await request.app[AUTHORIZING].begin(installation, name, guest.visit.id, guest.customer)
    return web.Response(status=302, headers={**_NO_TRACE, hdrs.LOCATION: location})


async def authorized(request: web.Request) -> web.StreamResponse:
    """Back from there: 303 to the installation, or a page that says what went wrong. A popup says that it can close."""
    state = request.query.get("state", "")
    guest = await guest_at(request, marketplace_of_state(state))
    if guest is None:
        return await not_signed_in(request)
    given = request.query.get("code"), request.query.get("error")
    done = await request.app[AUTHORIZING].complete(state, *given, guest.visit.id, guest.customer)
    if not guest.visit.link.inline_oauth:
        return guest.page("authorized.html", installation=done.installation)
    return redirect(guest.path("installations", done.installation.id, said="connected"))


def form_of(connection: Connection, t: Messages, asked_kind: str | None) -> tuple[Field, ...]:
    """Properties first, then how one signs in there. Of a template's own authorization nothing is typed."""
    kind = connection.kind or _asked(asked_kind)
    properties = _property_fields(connection, t)
    if kind is ConnectorAuth.NONE or kind is ConnectorAuth.OAUTH2:
        return properties
    kinds: tuple[Field, ...] = ()
    if connection.kind is None:
        options = tuple(Option(one.value, t.plain(_KIND_KEYS[one])) for one in _KINDS)
        kinds = (Field("kind", t.plain("connection.kind"), Kind.CHOICE, kind.value, required=True, options=options),)
    return (*properties, *kinds, *_secret_fields(connection, kind, t))


def _property_fields(connection: Connection, t: Messages) -> tuple[Field, ...]:
    """Fields to ask for. A name of a host, and what the host application has given, is not the user's to change."""
    known = {one.name: one.value for one in connection.connector.properties} if connection.connector else {}
    rules = connection.template.properties if connection.template else ()
    partner = connection.connector is not None and connection.connector.partner
    return tuple(
        Field(_PREFIX + rule.name, rule.name, value=known.get(rule.name, ""), required=rule.required)
        for rule in rules
        if not (partner and rule.name in known) and not names_a_host(rule.name, connection.urls)
    )


def _secret_fields(connection: Connection, kind: ConnectorAuth, t: Messages) -> tuple[Field, ...]:
    stored = connection.connector is not None and connection.connector.auth_value is not None
    hint = None if stored else t.plain("connection.secret_hint")
    if kind is ConnectorAuth.BASIC:
        return (
            Field("username", t.plain("connection.username"), required=not stored),
            Field("secret", t.plain("connection.password"), Kind.SECRET, required=not stored, hint=hint, stored=stored),
        )
    label = t.plain("connection.key" if kind is ConnectorAuth.API_KEY else "connection.token")
    return (Field("secret", label, Kind.SECRET, required=not stored, hint=hint, stored=stored),)


def _credentials(connection: Connection, form: Sequence[Field], given: Mapping[str, str]) -> Credentials:
    kind = connection.kind or _asked(given.get("kind"))
    secret = given.get("secret", "") or None
    if kind is ConnectorAuth.BASIC and secret is not None:
        secret = base64.b64encode(f"{given.get('username', '')}:{secret}".encode()).decode()
    properties = {
        field.name.removeprefix(_PREFIX): given.get(field.name, "").strip()
        for field in form
        if field.name.startswith(_PREFIX)
    }
    return Credentials(kind, secret, properties)


def _beside(error: RequestError, form: Sequence[Field]) -> dict[str, str]:
    """Refusals at their fields; what the host said of the credentials, at the secret."""
    names = {field.name for field in form}
    said: dict[str, str] = {}
    for name, text in wrongs(error).items():
        place = _PREFIX + name.removeprefix(_IN_REQUESTS) if name.startswith(_IN_REQUESTS) else name
        said[place if place in names else "secret" if "secret" in names and _AUTH in (name, "AuthValue") else ""] = text
    return said


def _asked(kind: str | None) -> ConnectorAuth:
    return next((one for one in _KINDS if one.value == kind), ConnectorAuth.BASIC)


async def _connection(request: web.Request, guest: Guest, installation: Installation) -> Connection:
    """One that a step of the installation needs, or that was refused."""
    name = request.match_info["connection"]
    plan, connector = await request.app[CONNECTING].planned(installation, name, guest.customer)
    bound = connector is not None and connector.integration_id == installation.integration_id
    if not bound and all(step.connection != name for step in installation.install):
        raise NotFound.of("not_found", guest.t.plain("problem.text_404"))
    return Connection(name, plan.template, connector, plan.urls)


async def _page(
    guest: Guest,
    installation: Installation,
    connection: Connection,
    fields: tuple[Field, ...],
    wrong: Mapping[str, str] | None = None,
) -> web.Response:
    product = await product_of(installation.product_id, guest)
    return guest.page(
        "connection.html",
        422 if wrong else 200,
        installation=installation,
        connection=connection,
        name=name_of(product, installation),
        product=product,
        host=host_of(product, installation),
        fields=fields,
        wrong=wrong or {},
        authorize=_authorize_link(installation, connection, guest),
    )


def _authorize_link(installation: Installation, connection: Connection, guest: Guest) -> str | None:
    """A popup of a frame has no session of its own: it takes one along."""
    if connection.kind is not ConnectorAuth.OAUTH2:
        return None
    path = guest.path("installations", installation.id, "connections", connection.name, "authorize")
    if guest.visit.link.inline_oauth or not guest.framed:
        return path
    services = guest.services
    handed = ticket(guest.visit, services.sealer, services.clock(), path)
    return f"{HANDOVER}?{urlencode({QUERY: handed})}"
