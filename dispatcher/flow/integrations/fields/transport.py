"""The transport of an integration: a record whose fields depend on each other, and whose proxy is taken apart.

Decides only what is kept; what the result may hold is for ``dispatcher.flow.integrations.fields.transport_rules``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from dispatcher.clock import iso_ms
from dispatcher.flow.integrations.fields.kind import MASK, Document, Kind, Vault
from dispatcher.flow.integrations.fields.records import Record
from dispatcher.model.integration import Transport
from dispatcher.policy.addresses.proxies import read_proxy
from dispatcher.policy.secrets.certificates import certificate_facts, read_certificates
from dispatcher.store.definitions.sealed import TRANSPORT_FIELDS
from dispatcher.store.secrets.sealing import Sealer

_CLEARED_WITH = {"clientCertificate": ("privateKey",), "proxyUrl": ("proxyUsername", "proxyPassword")}
"""Fields that mean nothing without another one."""


@dataclass(frozen=True, slots=True)
class TransportRecord(Record):
    """Masked values stay what they are, whichever field they are in. An unchanged secret keeps its ciphertext."""

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        if wanted is None:
            return Transport()
        after = Record.merged(self, before, named_transport(wanted), vault)
        known, opened = (open_transport(vault.sealer, vault.integration_id, one) for one in (before, after))
        same = [name for name in TRANSPORT_FIELDS if getattr(known, name) == getattr(opened, name)]
        return replace(after, **{name: getattr(before, name) for name in same})


@dataclass(frozen=True, slots=True)
class CertificateFacts(Kind):
    """The certificates in a PEM text, for people to read."""

    @property
    def takes(self) -> str:
        return "nothing"

    def shown(self, kept: Any) -> Any:
        found = [certificate_facts(one) for one in read_certificates(kept)] if kept else []
        return [
            {
                "subject": one.subject,
                "issuer": one.issuer,
                "fingerprint": one.fingerprint,
                "notBefore": iso_ms(one.not_before_ms),
                "notAfter": iso_ms(one.not_after_ms),
            }
            for one in found
        ]


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


def named_transport(wanted: Document) -> Document:
    """A change of a transport: masks left out, what goes with another cleared, a proxy's URL taken apart."""
    named = {name: value or "" for name, value in wanted.items() if value != MASK}
    for name, dependent in _CLEARED_WITH.items():
        if named.get(name) == "":
            named = dict.fromkeys(dependent, "") | named
    return named | _taken_apart(named.get("proxyUrl", ""))


def _taken_apart(proxy_url: str) -> dict[str, str]:
    """The proxy's URL without the credentials in it, and these on their own."""
    address = read_proxy(proxy_url) if proxy_url else ""
    if isinstance(address, str):
        return {}
    parts = {"proxyUrl": address.url}
    if address.username or address.password:
        parts |= {"proxyUsername": address.username, "proxyPassword": address.password}
    return parts
