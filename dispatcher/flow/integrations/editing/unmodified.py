"""Optimistic locking: refuses a change of an integration that was modified since it was read."""

from __future__ import annotations

from dispatcher.clock import iso_ms
from dispatcher.errors import Conflict
from dispatcher.model.integration import Integration
from dispatcher.model.precondition import Precondition


def check_unmodified(current: Integration, expected: Precondition | None) -> None:
    """``Conflict`` (modified_meanwhile) when the time of its last change is another; None expects nothing."""
    if expected is not None and not expected(current.modified_ms):
        text = f"It was modified at {iso_ms(current.modified_ms)}: read it again, then repeat your change."
        raise Conflict.of("modified_meanwhile", text, "expectedLastModified")
