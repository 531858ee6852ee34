"""Marketplaces as they are sent and shown. No behaviour."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints, WithJsonSchema

from dispatcher.api.rest.models import LOGO_FORM, WHOLE, Name, Origin, Wire
from dispatcher.policy.installing.brand import MAX_LOGO_CHARS

Text = Annotated[str, StringConstraints(min_length=1, max_length=65_536)]
MarketplaceId = Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]


Accent = Annotated[Text, WithJsonSchema({"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"})]
Language = Annotated[Text, WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$"})]
Logo = Annotated[Text, WithJsonSchema({"type": "string", "pattern": LOGO_FORM, "maxLength": MAX_LOGO_CHARS})]
"""Checked where brands are, whose messages say more."""


_ONCE: dict[str, JsonValue] = {"uniqueItems": True}


class BrandIn(Wire):
    """``logo``: a data: image or a path on this server; ``accent``: #rrggbb with a contrast of 4.5:1 on white."""

    logo: Logo | None = None
    accent: Accent | None = None
    language: Language | None = None


class MarketplaceIn(Wire):
    """A new marketplace. Without ``allowedOrigins`` no page may show it in a frame."""

    id: MarketplaceId | None = None
    name: Name
    product_ids: Annotated[list[Name], Field(max_length=1000, default_factory=list, json_schema_extra=_ONCE)]
    notification_url: Text | None = None
    allowed_origins: Annotated[list[Origin], Field(max_length=50, default_factory=list, json_schema_extra=_ONCE)]
    brand: BrandIn | None = None
    confirm: bool = False


class MarketplaceChangeIn(MarketplaceIn):
    """All of a marketplace; what is left out is gone."""

    id: Annotated[MarketplaceId | None, Field(json_schema_extra={"readOnly": True})] = None
    """Never another one."""


class BrandOut(Wire):
    logo: str | None
    accent: str | None
    language: str | None


class MarketplaceOut(Wire):
    id: int
    name: str
    product_ids: list[str]
    notification_url: str | None
    allowed_origins: list[str]
    brand: BrandOut
    confirm: bool
    vendor_id: str | None
    created_at: str
    last_modified: str


class KeyedMarketplaceOut(MarketplaceOut):
    """``signingSecret`` is shown here only: it verifies the callbacks to ``notificationUrl``."""

    signing_secret: str


class MarketplacesOut(Wire):
    data: list[MarketplaceOut]
