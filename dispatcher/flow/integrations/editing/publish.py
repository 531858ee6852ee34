"""Freezes the WORKING version into the next published revision. Events already accepted keep theirs."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.errors import Conflict
from dispatcher.flow.integrations.editing.unmodified import check_unmodified
from dispatcher.model.integration import Integration
from dispatcher.model.precondition import Precondition
from dispatcher.store.definitions.editing import Definitions

_TRIES = 32


async def publish(
    definitions: Definitions, any_id: str, created_by: str, now_ms: int, expected: Precondition | None = None
) -> Integration:
    """Make revision n+1, which new events use from now on. Raises ``NotFound``, and ``Conflict`` when ``lastModified``
    is not the expected one.
    """
    for _ in range(_TRIES):
        current = await definitions.needed(any_id)
        check_unmodified(current, expected)
        number = (current.published_revision or 0) + 1
        revision = replace(current.working, number=number, created_ms=now_ms, created_by=created_by)
        try:
            return await definitions.publish(replace(current, modified_ms=now_ms), current.modified_ms, revision)
        except Conflict:
            continue
    raise Conflict.of("modified_meanwhile", "The integration keeps changing: wait, then publish it again.", "id")
