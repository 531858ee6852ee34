"""Secrets that an edit keeps: each stays bound to the places it was saved for (``policy.secrets.secret_places``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dispatcher.errors import Problem
from dispatcher.flow.integrations.fields.kind import MASK, Document
from dispatcher.flow.integrations.fields.transport import named_transport
from dispatcher.model.integration import Revision
from dispatcher.policy.secrets.secret_places import (
    CLIENT_SECRET,
    PRIVATE_KEY,
    PROXY_PASSWORD,
    TRANSPORT_KEY,
    Place,
    header,
    in_words,
    rebound,
)


def bound_secrets(before: Revision, after: Revision, changes: Document) -> tuple[Revision, list[Problem]]:
    """``after`` with the places of its secrets, and a problem for each that is kept and would go to another."""
    bound, moved = rebound(before, after, frozenset(_given(changes)))
    return bound, [_problem(name, field, moved[name]) for name, field in _fields(after).items() if name in moved]


def _given(changes: Document) -> Iterator[str]:
    """Names of the secrets that an edit gives."""
    credentials = changes.get("outboundCredentials") or {}
    transport = named_transport(changes.get("transport") or {})
    for holder, field, name in (
        (credentials, "clientSecret", CLIENT_SECRET),
        (credentials, "privateKey", PRIVATE_KEY),
        (transport, "privateKey", TRANSPORT_KEY),
        (transport, "proxyPassword", PROXY_PASSWORD),
    ):
        if holder.get(field) not in (None, "", MASK):
            yield name
    for one in changes.get("headers") or ():
        if one.get("value") not in (None, MASK):
            yield header(one["name"])


def _fields(revision: Revision) -> Mapping[str, str]:
    """The field of each secret, as publishers write it."""
    fields = {name: name for name in (CLIENT_SECRET, PRIVATE_KEY, TRANSPORT_KEY, PROXY_PASSWORD)}
    return fields | {header(one.name): f"headers.{at}.value" for at, one in enumerate(revision.headers)}


def _problem(name: str, field: str, new: Place) -> Problem:
    what = name.removeprefix("outboundCredentials.").removeprefix("transport.")
    text = f"{what} was not saved for {in_words(new)}: give it again, or drop it, in the same change."
    return Problem("required", text, field)
