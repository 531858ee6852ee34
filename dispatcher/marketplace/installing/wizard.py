"""One installation: its steps while it is being installed, how it stands afterwards, its steps back when it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from aiohttp import web
from markupsafe import Markup

from dispatcher.errors import Conflict, NotFound
from dispatcher.marketplace.apps.lookups import installation_in, product_of
from dispatcher.marketplace.apps.saying import said_in
from dispatcher.marketplace.apps.standing import (
    credentials_page,
    host_of,
    is_leaving,
    is_open,
    links_of,
    name_of,
    pill_of,
    progress,
)
from dispatcher.marketplace.entrance.guest import Guest, redirect
from dispatcher.model.connector import AccountConnector
from dispatcher.model.installation import Installation, InstallStep, Standing
from dispatcher.pages.forms import Sent
from dispatcher.policy.addresses.launch_urls import launch_url
from dispatcher.policy.answers.steps import Answered

LIVE = "X-Live"
"""Sent by a page that asks for itself anew."""
_ENDS = {Answered.AWAY: "away", Answered.LATER: "later"}


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step as it is drawn. ``mark``: ``done``, ``here``, ``later``."""

    number: int
    name: str
    mark: str
    text: str | Markup | None = None
    image: str | None = None
    go_to: tuple[str, str] | None = None
    """Place where its work is done: the address, and its host."""
    connect: str | None = None
    check: str | None = None
    """The function to ask for."""
    words: str | Markup | None = None


@dataclass(frozen=True, slots=True)
class App:
    """The subject of the page: its name as customers know it, and the host that is asked about steps."""

    installation: Installation
    name: str
    host: str


async def show_installation(request: web.Request, guest: Guest) -> web.StreamResponse:
    """The way back to the apps, for one who looks again, or has just begun to uninstall, and finds it gone."""
    try:
        installation = await installation_in(request, guest)
    except NotFound:
        if LIVE not in request.headers and request.query.get("said") != "uninstalling":
            raise
        return redirect(guest.path(said="gone"))
    product = await product_of(installation.product_id, guest)
    connectors = await guest.installing.connectors.store.of_account(guest.account.id)
    here = guest.path("installations", installation.id)
    apart = (here, credentials_page(installation, guest))
    host, name = host_of(product, installation), name_of(product, installation)
    upgrades = installation.upgrade is not None and installation.upgrade.begun
    look, state = pill_of(installation, guest)
    done, total = progress(installation)
    lines = (_steps_back if is_leaving(installation) else _steps)(App(installation, name, host), connectors, guest)
    if lines and request.query.get("step") in ("away", "later"):
        lines = _with_end(lines, request.query["step"], host, guest)
    return guest.page(
        "installation.html",
        installation=installation,
        product=product,
        name=name,
        host=host,
        look=look,
        state=state,
        done=done,
        total=total,
        lines=lines,
        links=[link for link in links_of(product, installation, guest) if link.href not in apart],
        shows_steps=is_leaving(installation) or installation.standing is Standing.INSTALLING or upgrades,
        upgrades=upgrades,
        reconnect=_connection_of(installation, connectors, guest),
        live=f"{here}/live" if is_open(installation) else None,
        message=message_of(installation),
        said=said_in(request, guest),
    )


async def show_credentials(request: web.Request, guest: Guest) -> web.StreamResponse:
    """To the form for the credentials that were refused; where none were, to the installation."""
    installation = await installation_in(request, guest)
    connectors = await guest.installing.connectors.store.of_account(guest.account.id)
    form = _connection_of(installation, connectors, guest)
    return redirect(form or guest.path("installations", installation.id))


async def check_step(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """The host is asked; 303 to how it stands then, whatever it says."""
    installation, function = await installation_in(request, guest), sent.fields.get("function", "")
    step = installation.next_step
    ended = None
    if step is not None and step.installer_function == function:
        result = await guest.services.customers.check_step(installation, function, guest.customer)
        ended = _ENDS.get(result.answer.answered)
    return redirect(guest.path("installations", installation.id, step=ended))


async def order_again(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    installation = await installation_in(request, guest)
    if installation.standing is Standing.REFUSED:
        await guest.services.customers.retry_order(installation, guest.customer)
    return redirect(guest.path("installations", installation.id))


async def remove(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """Remove an installation that was never finished, was refused, or does not go by itself."""
    installation = await installation_in(request, guest)
    guest.refuse_members()
    if installation.standing is Standing.INSTALLED:
        raise Conflict.of("installed", guest.t.plain("problem.409"))
    await guest.services.customers.remove_anyway(installation, guest.customer)
    return redirect(guest.path(said="gone"))


def message_of(installation: Installation) -> dict[str, str | None] | None:
    """The message to the host application once it is installed: ids and states only."""
    if installation.standing is not Standing.INSTALLED:
        return None
    return {
        "type": "marketplace.installed",
        "installationId": installation.id,
        "productId": installation.product_id,
        "status": "installed",
    }


def _steps(app: App, connectors: Sequence[AccountConnector], guest: Guest) -> list[StepLine]:
    current = app.installation.next_step
    return [
        _done(number, step, connectors, guest)
        if step.completed
        else _here(number, step, app, connectors, guest)
        if step is current
        else StepLine(number, step.name, "later", guest.t("wizard.comes_next"), step.image_url)
        for number, step in enumerate(app.installation.install, 1)
    ]


def _done(number: int, step: InstallStep, connectors: Sequence[AccountConnector], guest: Guest) -> StepLine:
    connector = _connector_of(step, connectors)
    text: str | Markup | None = step.description
    if connector is not None:
        text = guest.t("wizard.done_by_host" if connector.partner else "wizard.done_connected")
    return StepLine(number, step.name, "done", text, step.image_url)


def _here(number: int, step: InstallStep, app: App, connectors: Sequence[AccountConnector], guest: Guest) -> StepLine:
    installation = app.installation
    place = launch_url(step.install_url or "")
    connect = None
    if step.connection and _connector_of(step, connectors) is None:
        connect = guest.path("installations", installation.id, "connections", step.connection)
    return StepLine(
        number,
        step.name,
        "here",
        step.description or _hint(connect, app, guest),
        step.image_url,
        go_to=(place, urlsplit(place).hostname or place) if place else None,
        connect=connect,
        check=step.installer_function if connect is None else None,
        words=guest.t("wizard.not_yet", words=installation.standing_text) if installation.standing_text else None,
    )


def _hint(connect: str | None, app: App, guest: Guest) -> Markup:
    return guest.t("wizard.connect_hint", name=app.name) if connect else guest.t("wizard.check_hint", host=app.host)


def _steps_back(app: App, _: Sequence[AccountConnector], guest: Guest) -> list[StepLine]:
    """The last one first; a refusal stands at the step that was to be undone."""
    lines, refused = [], app.installation.standing_text
    for number, step in reversed(list(enumerate(app.installation.install, 1))):
        words = None
        if step.completed and step.uninstaller_function and refused is not None:
            words, refused = guest.t("wizard.undo_refused", host=app.host, words=refused), None
        text = guest.t("wizard.undo_later" if step.completed else "wizard.undone")
        lines.append(
            StepLine(number, step.name, "later" if step.completed else "done", text, step.image_url, words=words)
        )
    return lines


def _with_end(lines: Sequence[StepLine], end: str, host: str, guest: Guest) -> list[StepLine]:
    text = guest.t("wizard.away" if end == "away" else "wizard.accepted", host=host)
    return [replace(line, words=text) if line.mark == "here" else line for line in lines]


def _connector_of(step: InstallStep, connectors: Sequence[AccountConnector]) -> AccountConnector | None:
    return next((one for one in connectors if one.connection_id == step.connection_id), None)


def _connection_of(installation: Installation, connectors: Sequence[AccountConnector], guest: Guest) -> str | None:
    """The page on which credentials that are refused can be entered again."""
    if installation.standing is not Standing.NEEDS_ATTENTION:
        return None
    bound = [one for one in connectors if one.integration_id == installation.integration_id]
    found = next((one for one in bound if one.needs_attention), bound[0] if bound else None)
    return guest.path("installations", installation.id, "connections", found.name) if found else None
