"""Definitions of integrations as REST takes and shows them, derived from the table of fields. No behaviour.

The table itself checks what is taken; these models tell the OpenAPI document its types.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from dispatcher.api.rest.models import Name, Wire
from dispatcher.flow.integrations.fields.kind import MASK, Kind
from dispatcher.flow.integrations.fields.records import Field as Row
from dispatcher.flow.integrations.fields.records import Record, Records
from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.flow.integrations.fields.transport import CertificateFacts
from dispatcher.flow.integrations.fields.values import Choice, Condition, Delays, Number, Secret, Switch, Texts

_PLAIN: dict[type[Kind], Any] = {
    Switch: bool,
    Delays: list[float],
    Texts: list[str],
    Condition: dict[str, Any],
    CertificateFacts: list[dict[str, str]],
}


def _type(kind: Kind, name: str, *, given: bool) -> Any:
    """The type of the values of a field; ``given``: as they are taken, not as they are shown."""
    match kind:
        case Record() | Records():
            inner = _model(kind, f"Definition{name[0].upper()}{name[1:]}{'In' if given else 'Out'}", given=given)
            return inner if isinstance(kind, Record) else list[inner]  # type: ignore[valid-type]
        case Number():
            return int if kind.whole else float
        case Choice():
            return str if kind.or_empty else Literal[*kind.values]
        case _:
            return _PLAIN.get(type(kind), str)


def _model(record: Record | Records, name: str, *, given: bool, base: type[BaseModel] = Wire) -> type[BaseModel]:
    rows = [one for one in record.fields if one.given or not given]
    fields: dict[str, Any] = {
        _snake(one.name): (_type(one.kind, one.name, given=given) | None, _described(one)) for one in rows
    }
    if given and isinstance(record, Records):
        first = rows[0]
        fields[_snake(first.name)] = (_type(first.kind, first.name, given=given), _described(first, default=...))
    return create_model(name, __base__=base, **fields)


def _described(row: Row, default: Any = None) -> Any:
    example = _example(row)
    return Field(
        default=default, alias=row.name, description=row.description or None, examples=[example] if example else None
    )


def _example(row: Row) -> Any:
    if isinstance(row.kind, Records):
        entry = {one.name: one.example for one in row.kind.fields if one.example}
        return [entry] if entry else None
    return MASK if isinstance(row.kind, Secret) else row.example


def _snake(name: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name)


class Identity(Wire):
    """``version`` is WORKING or PUBLISHED; ``revision`` is the number of the published version, null for WORKING."""

    id: str
    app_market_id: int
    connector_id: str
    version: Literal["WORKING", "PUBLISHED"]
    revision: int | None
    published_revision: int | None
    published_on: str | None
    published_by: str | None
    created_on: str
    last_modified: str
    linked_products: list[str]
    ui_read_only: bool


DefinitionIn = _model(INTEGRATION, "DefinitionIn", given=True)
DefinitionIn.__doc__ = "Fields of the WORKING version. One that is left out stays as it is, null clears it."
DefinitionOut = _model(INTEGRATION, "DefinitionOut", given=False, base=Identity)
DefinitionOut.__doc__ = "One version of an integration. Secrets read ``******``, which keeps them when it is sent back."


class SavedDefinitionOut(Wire):
    """``warnings``: what was taken and may fail."""

    definition: DefinitionOut  # type: ignore[valid-type]
    warnings: list[str]


class CreatedDefinitionOut(SavedDefinitionOut):
    """``signingSecret`` signs every notification, and is shown only here."""

    signing_secret: str


class DefinitionsOut(Wire):
    data: list[DefinitionOut]  # type: ignore[valid-type]
    next_cursor: str | None


class LinkIn(Wire):
    """The product whose events go to the integration from now on."""

    product_id: Annotated[Name, Field(description="Need not be known yet.")]


class LinkedOut(Wire):
    """``formerIntegrationId``: the integration that the product was taken from."""

    product_id: str
    integration_id: str | None
    former_integration_id: str | None
    warnings: list[str]


class WebhookKeyOut(BaseModel):
    """A public ed25519 key (RFC 8037); ``kid`` is its thumbprint (RFC 7638)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    use: Literal["sig"]
    alg: Literal["EdDSA"]


class WebhookKeysOut(BaseModel):
    keys: list[WebhookKeyOut]


class PlannedAttemptOut(Wire):
    n: int
    at_seconds: float
    earliest_seconds: float
    latest_seconds: float


class RetryPreviewOut(Wire):
    attempts: list[PlannedAttemptOut]
