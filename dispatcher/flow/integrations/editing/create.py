"""Creates an integration with its first signing secret. Never contacts any of its URLs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.integration import Integration, SigningSecret
from dispatcher.policy.notification.signing import generate_secret
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.secrets import fields as sealed_fields

DEFAULT_NAME = "Untitled integration"


@dataclass(frozen=True, slots=True)
class Created:
    """``signing_secret`` is in clear here, and nowhere afterwards."""

    integration: Integration
    signing_secret: str


async def create_integration(definitions: Definitions, editor: Editor, changes: Document, now_ms: int) -> Created:
    """Store a new WORKING version. Raises ``Unprocessable`` with everything that is wrong with ``changes``."""
    integration_id = new_uuid()
    blank = Integration(
        id=integration_id,
        app_market_id=0,
        connector_id=new_hex24(),
        name=DEFAULT_NAME,
        created_ms=now_ms,
        modified_ms=now_ms,
    )
    secret = generate_secret()
    sealed = editor.sealer.seal(secret, sealed_fields.signing_secret(integration_id))
    drafted = replace(editor.apply(blank, changes), signing_secrets=(SigningSecret(sealed, now_ms),))
    return Created(await definitions.create(drafted), secret)
