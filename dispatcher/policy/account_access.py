"""What an account's connector adds to a delivery: where it goes, and what authorizes it there. Pure.

An AuthValue is sent only to origins that it was given for. Where a property moved the origin, nothing of the
publisher's goes along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatcher.policy.url_properties import Unfillable, fill, origin_of


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """A connector, opened. ``header``: name and value of what authorizes; ``secret``: the AuthValue in it."""

    connector_id: int
    properties: Mapping[str, str]
    header: tuple[str, str] | None = None
    secret: str = ""
    origins: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Approach:
    """The way to one account's host. ``own_host``: the publisher did not name it; ``problem``: why nothing is sent."""

    url: str
    own_host: bool = False
    header: tuple[str, str] | None = None
    secret: str = ""
    problem: str | None = None


def approach(access: AccountAccess, url: str) -> Approach:
    """How a notification to ``url``, as it is configured, reaches the account's host."""
    try:
        filled = fill(url, access.properties)
    except Unfillable as error:
        return Approach(url, problem=f"nothing was sent, {error}")
    if access.header is None:
        return Approach(filled.url, filled.moved)
    if origin_of(filled.url) not in access.origins:
        text = "nothing was sent, the account's AuthValue was given for another origin: it has to be given again"
        return Approach(filled.url, filled.moved, problem=text)
    return Approach(filled.url, filled.moved, access.header, access.secret)
