"""The way back to the host application, for pages that lead nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from dispatcher.model.marketplace import Marketplace
from dispatcher.policy.addresses.launch_urls import launch_url


@dataclass(frozen=True, slots=True)
class WayBack:
    url: str
    host: str


def way_back(marketplace: Marketplace | None, host_url: str | None) -> WayBack | None:
    """To where the session came from, else to the first application that may show the marketplace."""
    for text in (host_url, *(marketplace.allowed_origins if marketplace else ())):
        if text and (url := launch_url(text)):
            return WayBack(url, urlsplit(url).netloc)
    return None
