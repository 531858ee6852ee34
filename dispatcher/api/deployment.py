"""Facts about this deployment that requests are answered by. ``dispatcher.api.app`` takes them from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.errors import Problem
from dispatcher.flow.integrations.fields.transport_rules import PROXY_FIELD
from dispatcher.policy.addresses.networks import Network
from dispatcher.policy.addresses.urls import CODE, Ports, check_url


@dataclass(frozen=True, slots=True)
class Deployment:
    """``base_url`` is how the outside reaches it; ``port`` is where it listens."""

    base_url: str
    port: int
    partner: str
    trusted_proxies: Sequence[Network]
    retry_schedule_s: Sequence[float]
    request_timeout_s: float
    client_rate: float
    """Requests per second of a client without a rate of its own; 0 = any number."""
    session_idle_s: float
    session_lifetime_s: float
    require_https: bool
    allow_networks: Sequence[Network]
    deny_networks: Sequence[Network]
    ports: Ports
    has_proxy: bool
    """Everything goes out through a proxy of its own."""

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https:")

    def url_problem(self, url: str, field: str) -> Problem | None:
        """Reason why this deployment sends nothing there, by the text of the URL alone; None = it would."""
        return self._checked(url, field, require_https=self.require_https)

    def proxy_problem(self, url: str, field: str) -> Problem | None:
        """Reason why nothing goes out through that proxy; None = it may."""
        if self.has_proxy:
            text = "Everything goes out through this deployment's own proxy (DISPATCHER_PROXY_URL): leave proxyUrl out."
            return Problem(CODE, text, field)
        return self._checked(url, field, require_https=False)

    def address_problem(self, url: str, field: str) -> Problem | None:
        """The rule of whichever field of an integration holds the URL."""
        return self.proxy_problem(url, field) if field == PROXY_FIELD else self.url_problem(url, field)

    def _checked(self, url: str, field: str, *, require_https: bool) -> Problem | None:
        return check_url(
            url,
            require_https=require_https,
            allow_networks=self.allow_networks,
            deny_networks=self.deny_networks,
            ports=self.ports,
            field=field,
        )
