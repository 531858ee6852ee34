"""The identity provider as the settings name it, and the people who come from there. Asks it nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from dispatcher.api.oauth.directory import Principal
from dispatcher.console.signed_in.session import ConsoleSession
from dispatcher.model.roles import ROLES
from dispatcher.policy.addresses.proxies import ProxyAddress
from dispatcher.policy.sign_in_roles import GroupRole
from dispatcher.store.access.console_sessions import SessionRecord


@dataclass(frozen=True, slots=True)
class Oidc:
    """``claim`` names the groups of a person. Without a secret this is a public client (RFC 6749 §2.1)."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str
    roles: Sequence[GroupRole]
    redirect_uri: str
    proxy: ProxyAddress | None = None

    @property
    def host(self) -> str:
        """The provider in few words."""
        return urlsplit(self.issuer).netloc

    @property
    def stamp(self) -> str:
        """Changes with provider and roles: sessions from before end then."""
        roles = [f"{one.group}={one.text}" for one in self.roles]
        return hashlib.sha256("\n".join((self.issuer, self.client_id, self.claim, *roles)).encode()).hexdigest()[:16]

    def principal(self, whose: ConsoleSession | SessionRecord) -> Principal | None:
        """The person as its role lets it in; None = roles or provider are others by now."""
        role = next((one for one in self.roles if one.text == whose.role), None)
        if role is None or whose.stamp != self.stamp:
            return None
        scopes = frozenset(scope.value for scope in ROLES[role.role].scopes)
        return Principal(whose.client_id, "", scopes, vendor_id=role.vendor_id)


OIDC = web.AppKey("oidc", Oidc)
"""Absent where nobody signs in so."""
