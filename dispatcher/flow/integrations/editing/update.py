"""Edits and deletes an integration. Published revisions stay as they are; nothing is contacted."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.flow.integrations.editing.unmodified import check_unmodified
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.model.integration import Integration
from dispatcher.model.precondition import Precondition
from dispatcher.store.definitions.editing import Definitions


async def update_integration(
    definitions: Definitions,
    editor: Editor,
    any_id: str,
    changes: Document,
    now_ms: int,
    expected: Precondition | None = None,
) -> Integration:
    """Change the WORKING version. ``expected`` of its last change, as the editor read it; what changes nothing is none.

    Raises ``NotFound``, ``Conflict``, or ``Unprocessable`` with everything that is wrong.
    """

    def change(current: Integration) -> Integration:
        check_unmodified(current, expected)
        changed = editor.apply(current, changes)
        return current if changed == current else replace(changed, modified_ms=now_ms)

    return await definitions.edit(any_id, change)


async def delete_integration(
    definitions: Definitions, any_id: str, expected: Precondition | None = None
) -> Integration:
    """Remove it with its revisions; ``Conflict`` while a product is linked. Returns what was removed."""
    integration = await definitions.needed(any_id)
    check_unmodified(integration, expected)
    await definitions.delete(integration.id, None if expected is None else integration.modified_ms)
    return integration
