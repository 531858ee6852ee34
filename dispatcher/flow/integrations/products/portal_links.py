"""Makes a link to a product host's own page. Never decides whether its caller may have one, and shows nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from dispatcher.model.integration import Integration
from dispatcher.model.portal import PortalLink, hashed
from dispatcher.store.access.portal_links import PortalLinks


@dataclass(frozen=True, slots=True)
class MadeLink:
    """``token`` is in clear here, and nowhere afterwards."""

    link: PortalLink
    token: str


async def make_portal_link(
    links: PortalLinks, integration: Integration, made_by: str, framed_by: tuple[str, ...], now_ms: int
) -> MadeLink:
    """Of an integration that exists for whoever asks."""
    token = secrets.token_urlsafe(32)
    link = PortalLink(
        id=secrets.token_hex(16),
        token_sha256=hashed(token),
        integration_id=integration.id,
        vendor_id=integration.vendor_id,
        made_by=made_by,
        made_ms=now_ms,
        framed_by=framed_by,
    )
    await links.make(link)
    return MadeLink(link, token)
