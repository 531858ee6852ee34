"""Optimistic locking: refuses a change of an integration that was modified since it was read."""

from __future__ import annotations

from dispatcher.clock import iso_ms
from dispatcher.errors import Conflict
from dispatcher.model.integration import Integration


def check_unmodified(current: Integration, expected_last_modified: str | None) -> None:
    """``Conflict`` (modified_meanwhile) when ``lastModified`` is another; None expects nothing."""
    if expected_last_modified is not None and expected_last_modified != iso_ms(current.modified_ms):
        text = f"It was modified at {iso_ms(current.modified_ms)}: read it again, then repeat your change."
        raise Conflict.of("modified_meanwhile", text, "expectedLastModified")
