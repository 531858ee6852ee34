"""The API client with every scope that the settings name. Creates it at a start, and again after the store lost it."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from pydantic import SecretStr

from dispatcher.api.services import Services
from dispatcher.errors import ConfigurationError
from dispatcher.model.access import ADMIN_SCOPES, ApiClient
from dispatcher.model.audit_entry import Author
from dispatcher.policy.texts import has_blank_ends, has_inner_control_characters
from dispatcher.store.access.clients import hash_secret
from dispatcher.store.audit_log.log import Noting

MIN_SECRET_CHARS = 16

log = structlog.get_logger("dispatcher.api")


@dataclass(frozen=True, slots=True)
class AdminClient:
    """Both None: there is none."""

    client_id: str | None
    secret: SecretStr | None

    async def ensure(self, services: Services) -> None:
        """Create it, or bring it up to date. ``ConfigurationError`` for half of the two settings."""
        if self.client_id is None and self.secret is None:
            return
        secret = self.secret.get_secret_value() if self.secret else ""
        if not self.client_id or not secret:
            text = "set both DISPATCHER_ADMIN_CLIENT_ID and DISPATCHER_ADMIN_CLIENT_SECRET, or neither"
            raise ConfigurationError(text)
        if has_inner_control_characters(secret):
            raise ConfigurationError("DISPATCHER_ADMIN_CLIENT_SECRET holds control characters: give it without them")
        if has_blank_ends(secret):
            log.warning("DISPATCHER_ADMIN_CLIENT_SECRET begins or ends with a blank or a line end, which is part of it")
        if len(secret) < MIN_SECRET_CHARS:
            log.warning("DISPATCHER_ADMIN_CLIENT_SECRET can be guessed", at_least_characters=MIN_SECRET_CHARS)
        known, now_ms = await services.clients.get(self.client_id), services.now_ms()
        wanted = ApiClient(
            client_id=self.client_id,
            secret_hash=hash_secret(secret),
            scopes=frozenset(scope.value for scope in ADMIN_SCOPES),
            created_ms=known.created_ms if known else now_ms,
            name="admin",
        )
        if wanted != known:
            noting = Noting(services.audit, Author("settings"), "ensureAdmin", now_ms)
            await services.clients.noted(noting).put(wanted)
