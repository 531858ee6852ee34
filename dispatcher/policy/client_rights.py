"""Rights over API clients: nobody gives, changes or takes away what they have not themselves. Pure.

A client can do what its scopes, its rate and its bounds let it. Whoever makes or changes one needs all of that, for the
client as it was and as it becomes: its secret is as good as its rights.
"""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.errors import Problem
from dispatcher.model.access import ApiClient, Caller, Scope, effective


def excess(caller: Caller, client: ApiClient, default_rate_per_s: float) -> list[Problem]:
    """Rights of ``client`` beyond those of ``caller``. ``default_rate_per_s``: of clients without one; 0 = any."""
    return [*_scopes(caller, client), *_bounds(caller, client), *_rate(caller, client, default_rate_per_s)]


def inbound_excess(caller: Caller) -> list[Problem]:
    """Rights that a product host's inbound client has and ``caller`` has not: it reads its events and ends them."""
    lacking = [scope for scope in (Scope.EVENTS_READ, Scope.EVENTS_WRITE) if not caller.may(scope)]
    return [Problem("scope_not_yours", f"It takes the scope {one}, which your token lacks.") for one in lacking]


def _scopes(caller: Caller, client: ApiClient) -> Iterator[Problem]:
    lacking = sorted(effective(client.scopes) - caller.scopes)
    if lacking:
        yield Problem("scope_not_yours", f"Your own token lacks the scope {lacking[0]}.", "scopes")


def _bounds(caller: Caller, client: ApiClient) -> Iterator[Problem]:
    for field, own, other in (
        ("accountId", caller.account_id, client.account_id),
        ("vendorId", caller.vendor_id, client.vendor_id),
    ):
        if own not in (None, other):
            yield Problem("right_not_yours", f"Your own client is bound to the {field} {own}.", field)
    if caller.integration_id is not None or caller.installation_id is not None:
        yield Problem("right_not_yours", "Your own token reaches one integration or installation only.")
    own_places = caller.marketplaces
    if own_places is not None and not (client.marketplaces is not None and own_places.issuperset(client.marketplaces)):
        yield Problem("right_not_yours", "Your own client is bound to other marketplaces.", "marketplaces")


def _rate(caller: Caller, client: ApiClient, default_rate_per_s: float) -> Iterator[Problem]:
    rate = default_rate_per_s if client.rate_per_s is None else client.rate_per_s
    if caller.rate_per_s and not 0 < rate <= caller.rate_per_s:
        this = f"{rate:g}" if rate else "any number"
        text = f"Your own client may send {caller.rate_per_s:g} requests per second, this one {this}."
        yield Problem("right_not_yours", text, "rate")
