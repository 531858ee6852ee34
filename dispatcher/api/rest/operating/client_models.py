"""Requests and answers about API clients and the audit log. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from dispatcher.api.rest.models import WHOLE, Name, ScopeName, Wire
from dispatcher.policy.secrets.private_keys import MAX_KEY_CHARS

RoleName = Literal["marketplace", "publisher", "host-application", "account-user", "viewer", "operator", "admin"]
Scopes = Annotated[list[ScopeName], Field(min_length=1, max_length=32)]
ClientName = Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Rate = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]
"""Requests per second; 0 = any number."""
Marketplaces = Annotated[list[Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]], Field(min_length=1, max_length=100)]
"""Those that a client shows in its own application; None = any."""


PublicKey = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY_CHARS)] | dict[str, Any]
"""PEM, or a JWK as an object or as text."""


class ClientIn(Wire):
    """A new client. ``scopes``, a ``role`` that stands for some, or both."""

    scopes: Scopes | None = None
    role: RoleName | None = None
    name: ClientName = ""
    account_id: Name | None = None
    vendor_id: Name | None = None
    rate: Rate | None = None
    marketplaces: Marketplaces | None = None
    public_key: PublicKey | None = None


class RotationIn(Wire):
    """A public key in place of a new secret."""

    public_key: PublicKey | None = None


class ClientChangeIn(Wire):
    """Changes of a client; the account or vendor that it is bound to stays."""

    scopes: Scopes | None = None
    name: ClientName = ""
    rate: Rate | None = None
    marketplaces: Marketplaces | None = None
    disabled: bool = False


class ClientOut(Wire):
    client_id: str
    name: str
    scopes: list[str]
    account_id: str | None
    vendor_id: str | None
    rate: float | None
    marketplaces: list[int] | None
    disabled: bool
    public_key: dict[str, Any] | None
    created_on: int
    created_at: str


class NewClientOut(ClientOut):
    client_secret: str | None


class ClientsOut(Wire):
    data: list[ClientOut]


class AuditEntryOut(Wire):
    """``previous`` is the SHA-256 of the entry before, ``hash`` the one of this."""

    n: int
    at: str
    client_id: str
    scopes: list[str]
    address: str | None
    request_id: str | None
    action: str
    kind: str
    object_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    outcome: str
    previous: str
    hash: str


class AuditPageOut(Wire):
    data: list[AuditEntryOut]
    next_cursor: str | None
