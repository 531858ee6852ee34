"""An app's progress as people are shown it: a colour, a few words, the reason, and what they may do next."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup

from dispatcher.flow.installations.making.shown_products import ShownProduct
from dispatcher.marketplace.entrance.guest import Guest
from dispatcher.model.installation import Installation, Mode, Standing
from dispatcher.policy.addresses.launch_urls import launch_url

_LOOKS: dict[Standing, tuple[str, str]] = {
    Standing.INSTALLING: ("run", "state.steps"),
    Standing.SETTING_UP: ("run", "state.setting_up"),
    Standing.INSTALLED: ("ok", "state.installed"),
    Standing.REFUSED: ("bad", "state.refused"),
    Standing.NEEDS_ATTENTION: ("warn", "state.attention"),
    Standing.UNINSTALLING: ("wait", "state.uninstalling"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """Something that one may do next."""

    label: Markup
    href: str
    look: str = ""
    apart: bool = False
    """Opens beside the page rather than in its place."""


@dataclass(frozen=True, slots=True)
class Card:
    """One app on the page: a product, something installed, or both."""

    key: str
    name: str
    description: str | None
    logo: str | None
    look: str
    state: Markup
    reason: str | None = None
    version: str | None = None
    links: tuple[Link, ...] = ()


def credentials_page(installation: Installation, guest: Guest) -> str:
    """The address that leads to the form for credentials that were refused."""
    return guest.path("installations", installation.id, "credentials")


def progress(installation: Installation) -> tuple[int, int]:
    """Completed steps and all steps."""
    return sum(step.completed for step in installation.install), len(installation.install)


def pill_of(installation: Installation, guest: Guest) -> tuple[str, Markup]:
    """Colour and words."""
    if installation.update_in_progress and installation.standing is Standing.INSTALLED:
        return "wait", guest.t("state.updating")
    if installation.upgrade is not None and installation.standing is Standing.INSTALLED:
        return "ok", guest.t("state.update_ready")
    look, key = _LOOKS[installation.standing]
    done, total = progress(installation)
    return look, guest.t(key, done=done, total=total)


def card_of(product: ShownProduct | None, installation: Installation | None, guest: Guest) -> Card:
    if installation is not None:
        return _installed(product, installation, guest)
    assert product is not None
    t, available = guest.t, product.revision is not None
    links = (Link(t("action.install"), guest.path("products", product.id), "primary"),)
    return Card(
        key=product.id,
        name=product.name,
        description=product.product.details.description,
        logo=product.product.details.logo,
        look="off",
        state=t("state.none" if available else "state.unavailable"),
        reason=None if available else t.plain("state.unavailable_text"),
        links=links if available else (),
    )


def _installed(product: ShownProduct | None, installation: Installation, guest: Guest) -> Card:
    look, state = pill_of(installation, guest)
    return Card(
        key=installation.id,
        name=name_of(product, installation),
        description=product.product.details.description if product else installation.description,
        logo=product.product.details.logo if product else None,
        look=look,
        state=state,
        reason=installation.standing_text,
        version=installation.version,
        links=tuple(links_of(product, installation, guest)),
    )


def name_of(product: ShownProduct | None, installation: Installation) -> str:
    """The product's name as customers know it, unless the installation has one of its own, as a clone may."""
    if product is None or (product.integration and installation.name not in (product.integration.name, product.name)):
        return installation.name
    return product.name


def links_of(product: ShownProduct | None, installation: Installation, guest: Guest) -> list[Link]:
    """Steps that may be done next, the likeliest first."""
    t, here = guest.t, guest.path("installations", installation.id)
    standing, owner = installation.standing, guest.is_owner
    if standing is Standing.INSTALLING:
        return [Link(t("action.go_on"), here, "primary")]
    if standing in (Standing.SETTING_UP, Standing.UNINSTALLING, Standing.REFUSED):
        return [Link(t("action.look"), here, "primary" if standing is Standing.REFUSED else "")]
    links = []
    if standing is Standing.NEEDS_ATTENTION:
        links.append(Link(t("action.reconnect"), credentials_page(installation, guest), "primary"))
    elif opens(product):
        links.append(Link(t("action.open"), f"{here}/open", "primary", apart=guest.framed))
    if owner and installation.upgrade is not None and not installation.upgrade.begun:
        links.append(Link(t("action.update"), f"{here}/update"))
    links.append(Link(t("action.settings"), f"{here}/settings"))
    if owner:
        links.append(Link(t("action.uninstall"), f"{here}/uninstall", "danger"))
    return links


def opens(product: ShownProduct | None) -> bool:
    """True if its users have somewhere to go."""
    revision = product.revision if product else None
    return revision is not None and bool(
        revision.bookmark or (revision.open_id_connect and revision.open_id_connect.initiate_login_url)
    )


def host_of(product: ShownProduct | None, installation: Installation | None = None) -> str:
    """Whom it speaks to, as people know it: the host of its URLs."""
    urls = product.revision.urls if product and product.revision else {}
    url = launch_url(urls.get("createUrl", "") or next(iter(urls.values()), ""))
    name = product.name if product else installation.name if installation else ""
    return urlsplit(url).hostname or name if url else name


def is_open(installation: Installation) -> bool:
    """True while its page still changes by itself."""
    waiting = (Standing.INSTALLING, Standing.SETTING_UP, Standing.UNINSTALLING)
    upgrades = installation.upgrade is not None and installation.upgrade.begun
    return installation.standing in waiting or installation.update_in_progress or upgrades


def is_leaving(installation: Installation) -> bool:
    return installation.mode is Mode.UNINSTALL
