"""Applies changes to the transport of an integration: what is kept, cleared, taken apart, sealed. Checks little.

What the result may hold is for ``dispatcher.flow.integrations.transport_rules``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dispatcher.errors import Problem
from dispatcher.flow.integrations.changes import MASK, TransportChanges
from dispatcher.model.integration import Transport
from dispatcher.policy.proxies import read_proxy
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.store.secrets.values import TRANSPORT_FIELDS

_CLEARED_WITH = {"client_certificate": ("private_key",), "proxy_url": ("proxy_username", "proxy_password")}
"""Fields that mean nothing without another one."""


@dataclass(frozen=True, slots=True)
class ChangedTransport:
    """``stored`` is what to keep, its secrets sealed; ``opened`` the same in clear, to be checked."""

    stored: Transport
    opened: Transport


def change_transport(
    sealer: Sealer, integration_id: str, before: Transport, wanted: TransportChanges | None
) -> ChangedTransport:
    """``before`` with what ``wanted`` names; a masked secret stays what it is, None clears."""
    if wanted is None:
        return ChangedTransport(Transport(), Transport())
    known = open_transport(sealer, integration_id, before)
    opened = replace(known, **_named(wanted))
    stored = {
        name: _sealed_again(sealer, context(integration_id), getattr(before, name), getattr(known, name), value)
        for name, context in TRANSPORT_FIELDS.items()
        for value in [getattr(opened, name)]
    }
    return ChangedTransport(replace(opened, **stored), opened)


def open_transport(sealer: Sealer, integration_id: str, stored: Transport) -> Transport:
    """``stored`` with its secrets in clear. Raises ``SealError``."""
    return replace(
        stored,
        **{
            name: sealer.open(sealed, context(integration_id))
            for name, context in TRANSPORT_FIELDS.items()
            if (sealed := getattr(stored, name))
        },
    )


def moved_proxy_problems(before: Transport, after: Transport) -> Iterator[Problem]:
    """A password that nobody may read back is not sent to a proxy that whoever gave it never named."""
    kept = before.proxy_password and after.proxy_password == before.proxy_password
    if kept and after.proxy_url != before.proxy_url:
        yield Problem("required", "The proxy changed: give its password again.", "transport.proxyPassword")


def _named(wanted: TransportChanges) -> dict[str, str]:
    named = {name: str(value or "") for name, value in wanted.items() if value != MASK}
    for name, dependent in _CLEARED_WITH.items():
        if named.get(name) == "":
            named = dict.fromkeys(dependent, "") | named
    return named | _taken_apart(named.get("proxy_url", ""))


def _taken_apart(proxy_url: str) -> dict[str, str]:
    """The proxy's URL without the credentials in it, and these on their own."""
    address = read_proxy(proxy_url) if proxy_url else ""
    if isinstance(address, str):
        return {}
    parts = {"proxy_url": address.url}
    if address.username or address.password:
        parts |= {"proxy_username": address.username, "proxy_password": address.password}
    return parts


def _sealed_again(sealer: Sealer, context: str, sealed: str, known: str, wanted: str) -> str:
    """What is unchanged keeps its ciphertext."""
    if wanted == known:
        return sealed
    return sealer.seal(wanted, context) if wanted else ""
