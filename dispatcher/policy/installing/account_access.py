"""The part of an account's connector in a delivery: where it goes, and what authorizes it there. Pure.

An AuthValue is sent only to origins that it was given for. Where a property moved the origin, nothing of the
publisher's goes along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatcher.policy.addresses.url_properties import Unfillable, fill, origin_of


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """A connector, opened. ``header``: name and value of what authorizes; ``secret``: the AuthValue in it.

    ``sealed``: the same as it is stored, which says which value it was.
    """

    connector_id: int
    properties: Mapping[str, str]
    header: tuple[str, str] | None = None
    secret: str = ""
    sealed: str = ""
    origins: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Approach:
    """The way to one account's host. ``own_host``: the publisher did not name it; ``problem``: why nothing is sent."""

    url: str
    own_host: bool = False
    access: AccountAccess | None = None
    """The connector whose AuthValue authorizes; None = there is none to send."""
    problem: str | None = None

    @property
    def header(self) -> tuple[str, str] | None:
        return self.access.header if self.access else None

    @property
    def secret(self) -> str:
        return self.access.secret if self.access else ""


def approach(access: AccountAccess, url: str) -> Approach:
    """The way of a notification to ``url``, as it is configured, to the account's host."""
    try:
        filled = fill(url, access.properties)
    except Unfillable as error:
        return Approach(url, problem=f"nothing was sent, {error}")
    if access.header is None:
        return Approach(filled.url, filled.moved)
    if origin_of(filled.url) not in access.origins:
        text = "nothing was sent, the account's AuthValue was given for another origin: it has to be given again"
        return Approach(filled.url, filled.moved, problem=text)
    return Approach(filled.url, filled.moved, access)
