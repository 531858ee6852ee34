"""Custom headers: a list of records whose values may be secret, and stay while they are left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.errors import Problem
from dispatcher.flow.integrations.fields.kind import MASK, Document, Vault
from dispatcher.flow.integrations.fields.records import Records
from dispatcher.model.integration import Header
from dispatcher.policy.notification.headers import header_problems
from dispatcher.store.secrets import fields as sealed_fields


@dataclass(frozen=True, slots=True)
class Headers(Records):
    """A header whose value is null or masked keeps that of the one of its name."""

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        kept = {header.name.lower(): header for header in before}
        return tuple(_header(one, kept.get(one["name"].lower()), vault) for one in wanted or ())

    def shown(self, kept: Any) -> Any:
        return [{"name": one.name, "value": MASK if one.secret else one.value, "secret": one.secret} for one in kept]

    def problems(self, kept: Any, name: str, url_rule: object) -> Iterator[Problem]:
        """Nothing here: a sealed value tells nothing, and ``Authorization`` depends on the credentials."""
        yield from ()


def problems_of_headers(
    before: Sequence[Header], wanted: Sequence[Document] | None, *, authenticated: bool
) -> Iterator[Problem]:
    """Headers as they were given; without ``wanted`` those that are kept, which only matter for ``Authorization``."""
    given: Sequence[Document] = [{"name": one.name} for one in before] if wanted is None else wanted
    known = {header.name.lower() for header in before}
    for position, header in enumerate(given):
        if _keeps_value(header) and header["name"].lower() not in known:
            yield Problem("required", "Give the value of a new header.", f"headers.{position}.value")
    pairs = [(header["name"], "" if _keeps_value(header) else header["value"]) for header in given]
    yield from header_problems(pairs, authenticated=authenticated)


def _header(wanted: Document, kept: Header | None, vault: Vault) -> Header:
    name = wanted["name"]
    if _keeps_value(wanted):
        return kept or Header(name, "")
    if not wanted.get("secret"):
        return Header(name, wanted["value"])
    context = sealed_fields.header_value(vault.integration_id, name)
    before = kept.value if kept and kept.secret and kept.name == name else ""
    return Header(name, vault.sealed(before, wanted["value"], context), secret=True)


def _keeps_value(header: Document) -> bool:
    return header.get("value") in (None, MASK)
