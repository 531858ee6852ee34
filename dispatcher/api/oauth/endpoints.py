"""Revocation (RFC 7009) and introspection (RFC 7662) of access tokens, on authlib's cores. Does no I/O."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import TokenMixin
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from dispatcher.api.oauth.registered import AUTH_METHODS, RegisteredClient
from dispatcher.api.oauth.server import FormRequest
from dispatcher.api.oauth.tokens import AccessToken
from dispatcher.model.access import Scope, effective


class TokenRecord(TokenMixin):  # type: ignore[misc]
    """A verified token as authlib wants to see it; tokens that are not good never become one."""

    def __init__(self, token: AccessToken) -> None:
        self.token = token

    def check_client(self, client: RegisteredClient) -> bool:
        return self.token.client_id == client.get_client_id()

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False


class _OwnTokens:
    """The token of both endpoints: the exchange has verified it already."""

    CLIENT_AUTH_METHODS = AUTH_METHODS
    server: Any

    def create_endpoint_request(self, request: FormRequest) -> FormRequest:
        return request

    def query_token(self, text: str, hint: str | None) -> TokenRecord | None:
        return TokenRecord(self.server.token) if self.server.token else None


class Revocation(_OwnTokens, RevocationEndpoint):  # type: ignore[misc]
    """Notes which token is to be refused; whoever runs the exchange writes it down."""

    def revoke_token(self, record: TokenRecord, request: FormRequest) -> None:
        self.server.revoked = record.token


class Introspection(_OwnTokens, IntrospectionEndpoint):  # type: ignore[misc]
    """A client may look at its own tokens, an administrator of clients at all."""

    def check_permission(self, record: TokenRecord, client: RegisteredClient, request: FormRequest) -> bool:
        return record.check_client(client) or Scope.CLIENTS_ADMIN in effective(client.principal.scopes)

    def introspect_token(self, record: TokenRecord) -> dict[str, Any]:
        token = record.token
        return {
            "active": True,
            "client_id": token.client_id,
            "sub": token.client_id,
            "scope": " ".join(sorted(token.scopes)),
            "token_type": "Bearer",
            "exp": token.expires_s,
            "iat": token.issued_s,
            "jti": token.jti,
        }
