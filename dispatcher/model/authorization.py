"""A user's way to a product's authorization server and back (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.connector import RemoteAccount


@dataclass(frozen=True, slots=True)
class PendingAuthorization:
    """An authorization that a ``state`` stands for until the user comes back with it, once, within 10 minutes."""

    account_id: str
    user_id: str
    marketplace_id: int
    installation_id: str
    connection: str
    template_id: int
    session: str
    """Of the browser that set out: no other brings the state back."""
    verifier: str
    """The code verifier, sealed."""
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens in clear. ``expires_ms`` None = the endpoint did not say; then it is used until it is refused."""

    access_token: str
    refresh_token: str | None = None
    expires_ms: int | None = None
    issuer: str = ""
    subject: str | None = None
    """The user as the issuer of an ID token names it (OpenID Connect Core §2); None = there was no such token."""

    @property
    def account(self) -> RemoteAccount | None:
        return RemoteAccount(self.subject, self.issuer) if self.subject and self.issuer else None
