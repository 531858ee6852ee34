"""Reads installed integrations from JSON, and writes them as JSON. Never decides what may change."""

from __future__ import annotations

from typing import Any

from dispatcher.api.rest.installations.models import IntegrationIn, StepIn
from dispatcher.clock import iso_ms
from dispatcher.flow.installations.making.changing import Replacement
from dispatcher.flow.installations.making.creation import Asked
from dispatcher.model.installation import Installation, InstallStep, Mode, Purchase
from dispatcher.policy.installing.steps import step_json
from dispatcher.policy.secrets.setting_secrets import masked

_FIXED = ("account_id", "connector_id", "account_identifier", "published_revision", "source_id")


def installation_json(one: Installation) -> dict[str, Any]:
    """Secrets are masked; a DIY integration has no more than its name and texts."""
    body: dict[str, Any] = {
        "_id": one.id,
        "createdAt": iso_ms(one.created_ms),
        "lastModified": iso_ms(one.modified_ms),
        "name": one.name,
        **_given(readme=one.readme, description=one.description, _accountId=one.account_id),
    }
    return one.unknown | body | (_smart_json(one) if one.smart else {})


def _smart_json(one: Installation) -> dict[str, Any]:
    return {
        "_connectorId": one.connector_id,
        "install": [step_json(step) for step in one.install],
        "mode": one.mode.value,
        "settings": masked(one.settings),
        **_given(version=one.version),
        "updateInProgress": one.update_in_progress,
        "standing": one.standing.value,
        **_given(
            updateAvailable=one.upgrade.revision if one.upgrade else None,
            standingText=one.standing_text,
            productId=one.product_id,
            publishedRevision=one.revision,
            accountIdentifier=one.account_identifier,
            _sourceId=one.source_id,
            configuration=one.purchase.configuration or None,
            edition=one.purchase.edition,
            quantity=one.purchase.quantity,
        ),
    }


def with_next_step(one: Installation) -> dict[str, Any]:
    """The installation and, apart, the step that comes next: null when none is open."""
    step = one.next_step if one.mode is not Mode.UNINSTALL else None
    return installation_json(one) | {"nextStep": step_json(step) if step else None}


def asked_from(body: IntegrationIn, account_id: str | None) -> Asked:
    """A POST."""
    return Asked(
        name=body.name,
        account_id=account_id,
        connector_id=body.connector_id,
        product_id=body.product_id,
        readme=body.readme,
        description=body.description,
        version=body.version,
        settings=body.settings,
        install=tuple(_step(step) for step in body.install or ()),
        purchase=Purchase(body.edition, body.quantity, body.configuration or {}),
        unknown=dict(body.model_extra or {}),
    )


def replacement_from(body: IntegrationIn) -> Replacement:
    """A PUT."""
    given = body.model_fields_set
    fields = IntegrationIn.model_fields
    return Replacement(
        name=body.name,
        given=frozenset(given),
        readme=body.readme,
        description=body.description,
        settings=body.settings,
        version=body.version,
        mode=Mode(body.mode) if body.mode else None,
        update_in_progress=body.update_in_progress,
        erase=body.erase is True,
        install=tuple((_step(step), step.completed) for step in body.install or ()),
        fixed={fields[name].alias or name: getattr(body, name) for name in _FIXED if name in given},
        unknown=dict(body.model_extra or {}),
    )


def _step(step: StepIn) -> InstallStep:
    return InstallStep(
        name=step.name,
        description=step.description,
        image_url=step.image_url,
        install_url=step.install_url,
        installer_function=step.installer_function,
        uninstaller_function=step.uninstaller_function,
        connection_id=step.connection_id,
        connection=step.connection,
        unknown=dict(step.model_extra or {}),
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
