"""This account's events, in people's words."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from dispatcher.flow.installations.making.shown_products import shown_products
from dispatcher.marketplace.entrance.guest import Guest
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, StoredEvent
from dispatcher.model.status import Status
from dispatcher.pages.moments import moment

ON_A_PAGE = 25
_SHOWN = frozenset(kind for kind in EventType if kind not in (EventType.SUBSCRIPTION_STATUS, EventType.OPERATIONAL))
_STATUSES: dict[Status, tuple[str, str]] = {
    Status.QUEUED: ("wait", "on_its_way"),
    Status.DELIVERING: ("run", "on_its_way"),
    Status.HELD: ("wait", "held"),
    Status.RETRYING: ("warn", "retrying"),
    Status.AWAITING_RESULT: ("run", "awaiting"),
    Status.SUCCEEDED: ("ok", "done"),
    Status.FAILED: ("bad", "refused"),
    Status.DEAD: ("bad", "dead"),
    Status.EXPIRED: ("bad", "expired"),
    Status.RESOLVED: ("off", "closed"),
    Status.SKIPPED: ("off", "nothing"),
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One line."""

    at_ms: int
    what: Markup
    app: str
    look: str
    how: Markup


async def show_history(request: web.Request, guest: Guest) -> web.StreamResponse:
    """Newest first."""
    condition = EventFilter(account_id=guest.account.id, types=_SHOWN)
    found = await guest.services.reads.page(condition, request.query.get("cursor"), ON_A_PAGE, complete=False)
    products = {one.id: one.name for one in await shown_products(guest.services.cache, guest.marketplace)}
    return guest.page(
        "history.html",
        happenings=[_happening(one, products, guest) for one in found.items],
        older=guest.path("history", cursor=found.next_cursor) if found.next_cursor else None,
    )


def _happening(stored: StoredEvent, products: dict[str, str], guest: Guest) -> Happening:
    event, state = stored.event, stored.state
    look, how = _how(state, guest)
    name = products.get(event.product_id or "", event.product_id or "")
    return Happening(state.created_ms, _what(event, guest), name, look, how)


def _what(event: Event, guest: Guest) -> Markup:
    key = "ADDON" if event.type.value.startswith("ADDON_") else event.type.value
    known = f"history.type.{key}" in guest.t
    user = (event.payload or {}).get("user")
    who = user.get("email") or user.get("uuid") if isinstance(user, dict) else None
    return guest.t(f"history.type.{key}" if known else "history.type.OTHER", who=who or "?")


def _how(state: EventState, guest: Guest) -> tuple[str, Markup]:
    look, key = _STATUSES[state.status]
    if state.status is Status.RETRYING:
        due = moment(state.due_ms, guest.now_ms, guest.t) if state.due_ms else ""
        return look, guest.t("history.status.retrying", when=due)
    if state.status is Status.FAILED and state.error_message:
        return look, guest.t("history.status.refused_words", words=state.error_message)
    return look, guest.t(f"history.status.{key}")
