"""What a publisher asks to change in an integration. Data only: a name left out means unchanged, None means cleared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from dispatcher.errors import Problem
from dispatcher.model.integration import AnswerMode, AuthMethod, CredentialType, OrderFormField

MASK = "******"
"""How a secret is shown. Sent back by a client that only changed something else: keep what there is."""

PROXY_FIELD = "transport.proxyUrl"

UrlRule = Callable[[str, str], Problem | None]
"""URL and field name → why notifications may not go there, or None. Never resolves a name."""


class CredentialChanges(TypedDict, total=False):
    type: CredentialType | None
    client_id: str | None
    client_secret: str | None
    token_uri: str | None
    grant_type: str | None
    scope: str | None
    audience: str | None
    resource: str | None
    auth_method: AuthMethod | None
    private_key: str | None
    key_id: str | None


class TransportChanges(TypedDict, total=False):
    """``proxy_url`` may hold user name and password; they are taken out of it."""

    client_certificate: str | None
    private_key: str | None
    ca_certificates: str | None
    proxy_url: str | None
    proxy_username: str | None
    proxy_password: str | None


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """``value`` None or masked = keep the value of the header of that name."""

    name: str
    value: str | None = None
    secret: bool = False

    @property
    def keeps_value(self) -> bool:
        return self.value in (None, MASK)


class IntegrationChanges(TypedDict, total=False):
    name: str | None
    urls: dict[str, str | None]
    """``createUrl`` … → URL; only the fields named are changed."""
    credentials: CredentialChanges | None
    """Merged into what there is; None = no credentials."""
    transport: TransportChanges | None
    """Merged into what there is; None = connect as the deployment does."""
    answers: AnswerMode | None
    schedule_s: list[float] | None
    timeout_s: float | None
    max_age_s: float | None
    concurrency: int | None
    rate_per_s: float | None
    result_deadline_s: float | None
    headers: list[HeaderChange] | None
    filter: dict[str, Any] | None
    validate_payloads: bool | None
    order_require_form_fields: bool | None
    order_form_fields: list[OrderFormField] | None
    probe_interval_minutes: int | None
    vendor_id: str | None
