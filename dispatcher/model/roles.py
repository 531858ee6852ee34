"""Roles to give access to, and their scopes: a table. Holds no client, checks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.model.access import ADMIN_SCOPES, Scope


class Role(StrEnum):
    """A kind of client. It stands for scopes when a client is made, and is forgotten then."""

    MARKETPLACE = "marketplace"
    PUBLISHER = "publisher"
    PRODUCT_HOST = "product-host"
    HOST_APPLICATION = "host-application"
    ACCOUNT_USER = "account-user"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class RoleRule:
    """``made_by``: how such a client comes to be, if not as an API client. ``binding``: what it has to be bound to."""

    who: str
    scopes: frozenset[Scope]
    binding: str | None = None
    made_by: str | None = None


_VIEW = frozenset({Scope.EVENTS_READ, Scope.INTEGRATIONS_READ, Scope.OPS_READ})

ROLES: dict[Role, RoleRule] = {
    Role.MARKETPLACE: RoleRule(
        "a marketplace's backend: emits for any account, manages any integration",
        frozenset({Scope.EVENTS_WRITE, Scope.DELIVERIES_READ, Scope.TENANTS_ADMIN, Scope.PORTAL_CREATE}),
    ),
    Role.PUBLISHER: RoleRule(
        "whoever publishes products: its own integrations, their events, redelivery and pings",
        frozenset({Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE, Scope.EVENTS_READ, Scope.EVENTS_WRITE}),
        binding="vendor",
    ),
    Role.PRODUCT_HOST: RoleRule(
        "a product's host: reads its integration's events and reports their results",
        frozenset({Scope.ROLE_APPLICATION}),
        made_by="the mutation generateProductIntegrationInboundClient",
    ),
    Role.HOST_APPLICATION: RoleRule(
        "an application that embeds a marketplace: makes accounts, links and connectors, sees what was delivered",
        frozenset({Scope.MARKETPLACE_PARTNER, Scope.PORTAL_CREATE, Scope.DELIVERIES_READ}),
        binding="marketplace",
    ),
    Role.ACCOUNT_USER: RoleRule(
        "an account: sees its own events, and may have them delivered again",
        frozenset({Scope.EVENTS_READ, Scope.EVENTS_WRITE}),
        binding="account",
    ),
    Role.VIEWER: RoleRule("an operator who only looks", _VIEW),
    Role.OPERATOR: RoleRule(
        "an operator who pauses, resumes, redelivers and resolves", _VIEW | {Scope.EVENTS_WRITE, Scope.OPS_WRITE}
    ),
    Role.ADMIN: RoleRule("an operator who may do everything, making clients included", ADMIN_SCOPES),
}


def problem_with(
    role: Role, *, account_id: str | None, vendor_id: str | None, marketplaces: Sequence[int] | None = None
) -> str | None:
    """The reason why no API client can be given ``role`` in this way, and what to do instead; None = it can."""
    rule = ROLES[role]
    if rule.made_by:
        return f"no API client can be a {role}: it is made by {rule.made_by}"
    bound_to = {"account": account_id, "vendor": vendor_id, "marketplace": marketplaces, None: ""}[rule.binding]
    if bound_to is None:
        return f"a {role} acts for one {rule.binding}: name it"
    return None
