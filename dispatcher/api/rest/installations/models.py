"""Bodies that /v1/integrations takes and gives. Keys that are none of these survive as they came. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from dispatcher.api.rest.models import NO_CONTROL, URL_FORM, WHOLE, Name
from dispatcher.policy.addresses.local_urls import is_shown_url

Prose = Annotated[str, StringConstraints(max_length=65_536)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000), WHOLE]


def _shown(value: Any) -> Any:
    if isinstance(value, str) and not is_shown_url(value):
        raise ValueError("give an http or https URL, or a path that begins with /")
    return value


_SHOWN = rf"^$|^/([A-Za-z0-9._~-]+/?)*$|{URL_FORM}"
ShownUrl = Annotated[
    str, StringConstraints(max_length=2048), BeforeValidator(_shown), Field(json_schema_extra={"pattern": _SHOWN})
]
"""Empty, http(s), or a path on whatever shows it: a browser is led there."""


class Open(BaseModel):
    """Keys that are not named here are kept."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, defer_build=True)


class StepIn(Open):
    """A step. ``connection`` names the connector template whose connector completes it."""

    name: Name
    description: Prose | None = None
    image_url: Annotated[ShownUrl | None, Field(alias="imageURL")] = None
    install_url: Annotated[ShownUrl | None, Field(alias="installURL")] = None
    completed: bool | None = None
    installer_function: Annotated[Name | None, Field(alias="installerFunction")] = None
    uninstaller_function: Annotated[Name | None, Field(alias="uninstallerFunction")] = None
    connection_id: Annotated[Name | None, Field(alias="_connectionId")] = None
    connection: Name | None = None


Steps = Annotated[list[StepIn], Field(max_length=100)]
AnyMode = Literal["install", "settings", "uninstall"]


class IntegrationIn(Open):
    """An installed integration. Without ``_connectorId`` it is a DIY integration: a name and a readme."""

    name: Name
    readme: Prose | None = None
    description: Prose | None = None
    account_id: Annotated[Name | None, Field(alias="_accountId")] = None
    connector_id: Annotated[Name | None, Field(alias="_connectorId")] = None
    product_id: Annotated[Name | None, Field(alias="productId")] = None
    install: Steps | None = None
    mode: AnyMode | None = None
    settings: Any = None
    version: Name | None = None
    update_in_progress: Annotated[bool | None, Field(alias="updateInProgress")] = None
    configuration: dict[str, Any] | None = None
    edition: Name | None = None
    quantity: Count | None = None
    account_identifier: Annotated[Any, Field(alias="accountIdentifier")] = None
    published_revision: Annotated[Any, Field(alias="publishedRevision")] = None
    source_id: Annotated[Any, Field(alias="_sourceId")] = None
    id: Annotated[Any, Field(alias="_id")] = None
    created_at: Annotated[Any, Field(alias="createdAt")] = None
    last_modified: Annotated[Any, Field(alias="lastModified")] = None
    standing: Any = None
    standing_text: Annotated[Any, Field(alias="standingText")] = None
    next_step: Annotated[Any, Field(alias="nextStep")] = None
    update_available: Annotated[Any, Field(alias="updateAvailable")] = None
    erase: bool | None = None


_BEGINNING = {"anyOf": [{"type": "string", "enum": ["install"]}, {"type": "null"}], "default": None}


class NewIntegrationIn(IntegrationIn):
    """As it is installed. Without ``_connectorId`` it is a DIY integration: a name and a readme."""

    mode: Annotated[AnyMode | None, WithJsonSchema(_BEGINNING)] = None


class UpgradeIn(Open):
    """Answers to what is new in the purchase form."""

    configuration: dict[str, Any] | None = None


_NAMES = {"propertyNames": {"minLength": 1, "maxLength": 255, "pattern": NO_CONTROL}}
ConnectionMap = Annotated[dict[Name, Name], Field(json_schema_extra=_NAMES)]


class CloneIn(Open):
    """``connectionMap``: a connection id of the source → the one that its clone has instead."""

    name: Name | None = None
    connection_map: Annotated[ConnectionMap | None, Field(alias="connectionMap")] = None


class StepOut(Open):
    name: str
    description: str | None = None
    image_url: Annotated[str | None, Field(alias="imageURL")] = None
    install_url: Annotated[str | None, Field(alias="installURL")] = None
    completed: bool
    installer_function: Annotated[str | None, Field(alias="installerFunction")] = None
    uninstaller_function: Annotated[str | None, Field(alias="uninstallerFunction")] = None
    connection_id: Annotated[str | None, Field(alias="_connectionId")] = None
    connection: str | None = None


class IntegrationOut(Open):
    """A DIY integration has no field from ``install`` on."""

    id: Annotated[str, Field(alias="_id")]
    created_at: Annotated[str, Field(alias="createdAt")]
    last_modified: Annotated[str, Field(alias="lastModified")]
    name: str
    readme: str | None = None
    description: str | None = None
    account_id: Annotated[str | None, Field(alias="_accountId")] = None
    connector_id: Annotated[str | None, Field(alias="_connectorId")] = None
    install: list[StepOut] | None = None
    mode: AnyMode | None = None
    settings: Any = None
    version: str | None = None
    update_in_progress: Annotated[bool | None, Field(alias="updateInProgress")] = None
    update_available: Annotated[int | None, Field(alias="updateAvailable")] = None
    standing: str | None = None
    standing_text: Annotated[str | None, Field(alias="standingText")] = None
    product_id: Annotated[str | None, Field(alias="productId")] = None
    published_revision: Annotated[int | None, Field(alias="publishedRevision")] = None
    account_identifier: Annotated[str | None, Field(alias="accountIdentifier")] = None
    source_id: Annotated[str | None, Field(alias="_sourceId")] = None
    configuration: dict[str, Any] | None = None
    edition: str | None = None
    quantity: int | None = None
    next_step: Annotated[StepOut | None, Field(alias="nextStep")] = None
