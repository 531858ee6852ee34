"""A principal as authlib wants to see a client. Never looks anything up."""

from __future__ import annotations

from authlib.oauth2.rfc6749 import ClientMixin

from dispatcher.api.oauth.directory import Principal
from dispatcher.api.oauth.narrowing import Narrowed, is_narrowing, narrowed_scope
from dispatcher.model.access import effective

AUTH_METHODS: tuple[str, ...] = ("client_secret_basic", "client_secret_post", "private_key_jwt")
GRANT_TYPE = "client_credentials"


class RegisteredClient(ClientMixin):  # type: ignore[misc]
    """An authenticated client, as the grant and the token maker see it."""

    def __init__(self, principal: Principal, narrowed: Narrowed | None = None) -> None:
        self.principal = principal
        self._narrowed = narrowed

    def get_client_id(self) -> str:
        return self.principal.client_id

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The scopes asked for, without any all that are allowed; None (= invalid_scope) when one is not."""
        if is_narrowing(scope or ""):
            return narrowed_scope(scope or "") if self._narrowed else None
        asked = set((scope or "").split())
        if not asked:
            return " ".join(sorted(self.principal.scopes))
        return " ".join(sorted(asked)) if asked <= effective(self.principal.scopes) else None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in AUTH_METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == GRANT_TYPE

    def claims(self) -> dict[str, str | int]:
        """Claims beyond RFC 9068's own."""
        if self._narrowed is not None:
            account_id, marketplace_id = self._narrowed.account_id, self._narrowed.marketplace_id
            return {"stamp": self.principal.stamp, "account_id": account_id, "marketplace_id": marketplace_id}
        extra = {
            "integration_id": self.principal.integration_id,
            "account_id": self.principal.account_id,
            "vendor_id": self.principal.vendor_id,
        }
        return {"stamp": self.principal.stamp, **{name: value for name, value in extra.items() if value}}
