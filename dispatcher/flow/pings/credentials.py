"""Tries credentials out before they are saved: checks them as saving does, then has a worker get one token."""

from __future__ import annotations

from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.ids import new_uuid
from dispatcher.model.integration import CredentialType, Integration
from dispatcher.model.ping import CredentialsTried
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.pings.trials import Trial, Trials

WAIT_S = 14.0
"""A token request may take 10 s; the rest is for the way to the worker and back."""

_NOTHING_TO_ASK = {
    CredentialType.NONE: "There are no credentials to try.",
    CredentialType.BASIC: "Basic credentials go with each notification: a ping test shows whether the host takes them.",
}
_NO_WORKER = CredentialsTried(
    False, "TRANSPORT_ERROR", "No worker answered in time: check that one runs (`dispatcher worker`), then try again."
)


async def try_credentials(
    definitions: Definitions,
    editor: Editor,
    trials: Trials,
    any_id: str | None,
    changes: Document,
    vendor_id: str | None = None,
) -> CredentialsTried:
    """``changes``: ``outboundCredentials``, and ``transport`` unless it is the one that is saved. Saves nothing.

    ``vendor_id``: whose the integration would be that is not saved yet.

    Raises ``NotFound``, or ``Unprocessable`` with everything that is wrong with them.
    """
    current = await definitions.needed(any_id) if any_id else _nobody(vendor_id)
    working = editor.apply(current, changes).working
    drafted = working.credentials
    if drafted.type is not CredentialType.OAUTH2:
        return CredentialsTried(True, message=_NOTHING_TO_ASK[drafted.type])
    return await trials.ask(Trial(current.id, drafted, working.transport, tenant=current.tenant), WAIT_S) or _NO_WORKER


def _nobody(vendor_id: str | None) -> Integration:
    return Integration(new_uuid(), 0, "", "credentials", 0, 0, vendor_id=vendor_id)
