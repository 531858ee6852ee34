"""Every sealed value of a definition with what it is sealed for: to seal it again, or to see which key it needs.

A field that is to be sealed is named here as well, and a test finds one that is not. Opens and seals nothing itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import orjson

from dispatcher.model.integration import Integration, OutboundCredentials, Revision, Transport
from dispatcher.store.secrets import fields as sealed_fields

Change = Callable[[str, str], str]
"""A sealed value and its context; returns what is to stand in its place."""

CREDENTIAL_FIELDS: dict[str, Callable[[str], str]] = {
    "client_secret": sealed_fields.client_secret,
    "private_key": sealed_fields.private_key,
}
"""Sealed fields of ``OutboundCredentials``: the context of each, by the integration's id."""

TRANSPORT_FIELDS: dict[str, Callable[[str], str]] = {
    "private_key": sealed_fields.transport_key,
    "proxy_password": sealed_fields.proxy_password,
}
"""The same of ``Transport``."""

T = TypeVar("T", OutboundCredentials, Transport)

_SEALED = re.compile(r"v1\.[0-9a-f]{8}\.[A-Za-z0-9+/]{36,}={0,2}")


def in_integration(integration: Integration, change: Change) -> Integration:
    """The integration with every sealed value replaced by what ``change`` makes of it."""
    context = sealed_fields.signing_secret(integration.id)
    return replace(
        integration,
        working=in_revision(integration.id, integration.working, change),
        signing_secrets=tuple(
            replace(one, secret=_changed(one.secret, context, change)) for one in integration.signing_secrets
        ),
    )


def in_revision(integration_id: str, revision: Revision, change: Change) -> Revision:
    """As ``in_integration``, for one version."""
    headers = tuple(
        replace(one, value=_changed(one.value, sealed_fields.header_value(integration_id, one.name), change))
        if one.secret
        else one
        for one in revision.headers
    )
    return replace(
        revision,
        credentials=_in_fields(integration_id, revision.credentials, CREDENTIAL_FIELDS, change),
        transport=_in_fields(integration_id, revision.transport, TRANSPORT_FIELDS, change),
        headers=headers,
    )


def found_in(stored: bytes) -> list[str]:
    """Whatever looks sealed anywhere in a stored record, also in fields that only a newer version knows."""
    return list(_texts(orjson.loads(stored)))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if _SEALED.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _changed(sealed: str, context: str, change: Change) -> str:
    return change(sealed, context) if sealed else ""


def _in_fields(integration_id: str, holder: T, fields: dict[str, Callable[[str], str]], change: Change) -> T:
    changed: dict[str, Any] = {
        name: _changed(getattr(holder, name), context(integration_id), change) for name, context in fields.items()
    }
    return replace(holder, **changed)
