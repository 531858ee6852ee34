"""Connector templates as they are sent and shown. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from dispatcher.api.rest.models import URL_FORM, Name, Wire
from dispatcher.model.connector import ConnectorAuth

_KINDS = {kind.value.casefold(): kind.value for kind in ConnectorAuth if kind is not ConnectorAuth.OAUTH}


def _kind(value: Any) -> Any:
    """In any case, but ``OAuth`` and ``OAUTH2`` are two."""
    return _KINDS.get(value.casefold(), value) if isinstance(value, str) and value != "OAuth" else value


AuthType = Annotated[Literal["Basic", "ApiKey", "OAuth", "OAUTH2", "None"], BeforeValidator(_kind)]
Uri = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2048),
    Field(json_schema_extra={"pattern": URL_FORM}),
]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


_NEEDED, _OPTIONAL = ("authorizeUri", "tokenUri", "clientId"), ("clientSecret", "scope")
_AUTHORIZATION: dict[str, Any] = {
    "examples": [
        {
            "name": "Shop",
            "authType": "OAUTH2",
            "authorizeUri": "https://login.example/authorize",
            "tokenUri": "https://login.example/token",
            "clientId": "shop-backend",
        },
        {"name": "Shop", "authType": "Basic"},
    ],
    "if": {"required": ["authType"], "properties": {"authType": {"const": ConnectorAuth.OAUTH2.value}}},
    "then": {"required": [*_NEEDED], "properties": {name: {"type": "string"} for name in _NEEDED}},
    "else": {"properties": {name: {"type": "null"} for name in (*_NEEDED, *_OPTIONAL)}},
}
"""An authorization of its own, which only templates with OAUTH2 have."""


class PropertyRuleIn(Wire):
    name: Name
    required: bool = False


class TemplateIn(Wire):
    """``native``: it may be deployed with a session; without ``authType`` the kind of an AuthValue is inferred."""

    model_config = ConfigDict(json_schema_extra=_AUTHORIZATION)

    name: Name
    version: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "1.0"
    auth_type: AuthType | None = None
    native: bool = False
    integration_id: Name | None = None
    properties: Annotated[list[PropertyRuleIn], Field(max_length=50, default_factory=list)]
    authorize_uri: Uri | None = None
    token_uri: Uri | None = None
    client_id: Name | None = None
    client_secret: Secret | None = None
    scope: Annotated[str, StringConstraints(max_length=4096)] | None = None


class PropertyRuleOut(Wire):
    name: str
    required: bool


class TemplateOut(Wire):
    id: int
    name: str
    version: str
    auth_type: str | None
    native: bool
    integration_id: str | None
    properties: list[PropertyRuleOut]
    authorize_uri: str | None
    token_uri: str | None
    client_id: str | None
    client_secret: str | None
    scope: str | None
    vendor_id: str | None
    created_at: str
    last_modified: str


class TemplatesOut(Wire):
    data: list[TemplateOut]
