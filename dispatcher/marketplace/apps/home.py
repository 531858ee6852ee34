"""All apps of a marketplace, with how far each is; above them what needs somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from dispatcher.flow.installations.making.shown_products import ShownProduct, shown_products
from dispatcher.marketplace.apps.saying import said_in
from dispatcher.marketplace.apps.standing import Card, Link, card_of, credentials_page, name_of, progress
from dispatcher.marketplace.entrance.guest import Guest, redirect
from dispatcher.marketplace.entrance.handover import QUERY
from dispatcher.model.installation import Installation, Standing

ON_A_PAGE = 24
_URGENT = (
    Standing.NEEDS_ATTENTION,
    Standing.REFUSED,
    Standing.INSTALLING,
    Standing.UNINSTALLING,
    Standing.SETTING_UP,
)
"""Subjects of the first lines, the most urgent first."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The sentence on what needs somebody, if anything does, and the one step that mends it."""

    look: str
    title: Markup
    text: str | None = None
    link: Link | None = None


async def show_home(request: web.Request, guest: Guest) -> web.StreamResponse:
    """A link to one product leads on to it."""
    if QUERY in request.query:
        return redirect(guest.path())
    products, installed = await asyncio.gather(
        shown_products(guest.services.cache, guest.marketplace), guest.services.customers.list(guest.account.id)
    )
    if (asked := request.query.get("product")) and (found := _asked(asked, products, installed[0], guest)):
        return redirect(found)
    cards = _cards(products, installed[0], guest)
    query, number = request.query.get("q", "")[:100], _number(request.query.get("page", ""))
    shown = [card for card in cards if query.casefold() in card.name.casefold()]
    begin = (number - 1) * ON_A_PAGE
    return guest.page(
        "home.html",
        verdict=verdict(products, installed[0], guest),
        cards=shown[begin : begin + ON_A_PAGE],
        searchable=len(cards) > ON_A_PAGE // 2,
        query=query,
        before=guest.path(q=query or None, page=str(number - 1)) if number > 1 else None,
        more=guest.path(q=query or None, page=str(number + 1)) if begin + ON_A_PAGE < len(shown) else None,
        said=said_in(request, guest),
    )


def verdict(products: Sequence[ShownProduct], installed: Sequence[Installation], guest: Guest) -> Verdict:
    """In one or two sentences."""
    t, known = guest.t, {product.id: product for product in products}
    for standing in _URGENT:
        found = next((one for one in installed if one.standing is standing), None)
        if found is not None:
            return _about(found, known.get(found.product_id or ""), guest)
    if not products and not installed:
        return Verdict("off", t("verdict.empty"), t.plain("verdict.empty_next"))
    if not installed:
        return Verdict("run", t("verdict.none"), t.plain("verdict.none_next"))
    there = {product.id for product in products} | {one.product_id or one.id for one in installed}
    have = {one.product_id or one.id for one in installed}
    return Verdict("ok", t("verdict.well", count=len(have), total=len(there)))


def _about(installation: Installation, product: ShownProduct | None, guest: Guest) -> Verdict:
    t, name = guest.t, name_of(product, installation)
    done, total = progress(installation)
    link = Link(t("action.go_on"), guest.path("installations", installation.id), "primary")
    look = Link(t("action.look"), link.href)
    reconnect = Link(t("action.reconnect"), credentials_page(installation, guest), "primary")
    words = installation.standing_text
    return {
        Standing.NEEDS_ATTENTION: Verdict("warn", t("verdict.attention", name=name), words, reconnect),
        Standing.REFUSED: Verdict("bad", t("verdict.refused", name=name), words, look),
        Standing.INSTALLING: Verdict("run", t("verdict.draft", name=name, done=done, total=total), words, link),
        Standing.UNINSTALLING: Verdict(
            "bad" if words else "wait", t("verdict.failed" if words else "verdict.uninstalling", name=name), words, look
        ),
        Standing.SETTING_UP: Verdict(
            "run", t("verdict.setting_up", name=name), t.plain("verdict.setting_up_text"), look
        ),
    }[installation.standing]


def _cards(products: Sequence[ShownProduct], installed: Sequence[Installation], guest: Guest) -> list[Card]:
    """In the marketplace's order; then what is installed although the marketplace does not hold it."""
    known = {product.id for product in products}
    cards = []
    for product in products:
        own = [one for one in installed if one.product_id == product.id]
        cards += [card_of(product, one, guest) for one in own] or [card_of(product, None, guest)]
    return cards + [card_of(None, one, guest) for one in installed if one.product_id not in known]


def _asked(
    product_id: str, products: Sequence[ShownProduct], installed: Sequence[Installation], guest: Guest
) -> str | None:
    if found := next((one for one in installed if one.product_id == product_id), None):
        refused = found.standing is Standing.NEEDS_ATTENTION
        return credentials_page(found, guest) if refused else guest.path("installations", found.id)
    offered = any(one.id == product_id and one.revision for one in products)
    return guest.path("products", product_id) if offered else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text) else 1
