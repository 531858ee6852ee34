"""Marketplaces, the products shown in them, and the one-time sessions in which a customer sees one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatcher.model.integration import SigningSecret

NOTIFICATION_URL = "notificationUrl"
_LANE = "marketplace:"


def callback_lane(marketplace_id: int) -> str:
    """The lane of a marketplace's callbacks, in the place of an integration's id."""
    return f"{_LANE}{marketplace_id}"


def marketplace_of_lane(lane: str) -> int | None:
    """The marketplace whose callbacks a lane holds; None = it is an integration's."""
    number = lane.removeprefix(_LANE)
    return int(number) if number != lane and number.isascii() and number.isdigit() else None


@dataclass(frozen=True, slots=True)
class Brand:
    """The look of a marketplace's pages. ``accent`` is ``#rrggbb`` with a contrast of 4.5:1 or more on white."""

    logo: str | None = None
    accent: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Marketplace:
    """``id`` is an integer that people type; products are shown in the order given. ``signing_secrets`` are sealed."""

    id: int
    name: str
    created_ms: int
    modified_ms: int
    product_ids: tuple[str, ...] = ()
    notification_url: str | None = None
    allowed_origins: tuple[str, ...] = ()
    """Origins that may frame the pages and are sent messages; none = no frame at all."""
    brand: Brand = Brand()
    confirm: bool = False
    """A one-time link opens only after a click on "Continue"."""
    signing_secrets: tuple[SigningSecret, ...] = ()
    """Keys that sign the callbacks to ``notification_url``; newest first."""
    vendor_id: str | None = None
    """Its owner; None = only clients that are bound to no vendor reach it."""
    has_accounts: bool = False
    """Some account was made in it: its id would lead a successor to that account, so it stays."""


class SessionState(StrEnum):
    ISSUED = "ISSUED"
    CONSUMED = "CONSUMED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class MarketplaceSession:
    """A one-time link: whose it is and where it leads. Only a hash of its token is kept; 5 minutes, one opening."""

    account_id: str
    user_id: str
    marketplace_id: int
    epoch: int
    """The account's ``session_epoch`` when it was issued: a later one ends the session."""
    inline_oauth: bool = True
    """A connector's own authorization opens in the same window; False = in a popup."""
    complete_parameter: str | None = None
    product_id: str | None = None
    """The one product that the link opens, if it is for one."""
    language: str | None = None
    launch: bool = False
    """Made by the launch call rather than the marketplace call."""
    host_url: str | None = None
    """Address that the pages lead back to when the session is over."""
