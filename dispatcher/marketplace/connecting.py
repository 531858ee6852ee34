"""The form for one connection: where an app finds the customer's data, and as whom. Tried before it is saved."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from dispatcher.errors import NotFound, RequestError
from dispatcher.marketplace.admission import Sent
from dispatcher.marketplace.guest import Guest, redirect
from dispatcher.marketplace.lookups import installation_in, product_of
from dispatcher.marketplace.ports import Credentials
from dispatcher.marketplace.standing import host_of, name_of
from dispatcher.model.connector import AccountConnector, ConnectorAuth, ConnectorTemplate
from dispatcher.model.installation import Installation
from dispatcher.pages.fields import Field, Kind, Option, checked, marked, typed
from dispatcher.pages.forms import wrongs
from dispatcher.pages.messages import Messages

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
    """What the form is about. ``connector`` None = nothing is stored yet."""

    name: str
    template: ConnectorTemplate | None
    connector: AccountConnector | None

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
    """303 to the installation once the credentials have worked; 422, and nothing saved, when they have not."""
    installation = await installation_in(request, guest)
    connection = await _connection(request, guest, installation)
    form = form_of(connection, guest.t, sent.fields.get("kind"))
    wrong = checked(form, sent.fields, guest.t)
    if not wrong:
        try:
            credentials = _credentials(connection, form, sent.fields)
            await guest.flows.connections.save(installation, connection.name, credentials, guest.customer)
            return redirect(guest.path("installations", installation.id, said="connected"))
        except RequestError as error:
            if error.status not in (400, 409, 422):
                raise
            wrong = _beside(error, form)
    return await _page(guest, installation, connection, marked(typed(form, sent.fields), wrong), wrong)


def form_of(connection: Connection, t: Messages, asked_kind: str | None) -> tuple[Field, ...]:
    """Properties first, then how one signs in there."""
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
    """What names a host, and what the host application has given, is not the user's to change: it is not asked for."""
    known = {one.name: one.value for one in connection.connector.properties} if connection.connector else {}
    rules = connection.template.properties if connection.template else ()
    partner = connection.connector is not None and connection.connector.partner
    return tuple(
        Field(_PREFIX + rule.name, rule.name, value=known.get(rule.name, ""), required=rule.required)
        for rule in rules
        if not (partner and rule.name in known)
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
    """What was refused stands at its field; what the host said of the credentials, at the secret."""
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
    connectors = await guest.flows.connections.of_account(guest.account.id)
    steps = [step for step in installation.install if step.connection == name]
    ids = {step.connection_id for step in steps if step.connection_id}
    connector = next((one for one in connectors if one.connection_id in ids or one.name == name), None)
    bound = connector is not None and connector.integration_id == installation.integration_id
    if not steps and not bound:
        raise NotFound.of("not_found", guest.t.plain("problem.text_404"))
    return Connection(name, await guest.flows.connections.template(name), connector)


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
    )
