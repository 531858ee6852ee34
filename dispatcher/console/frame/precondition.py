"""The condition of a form that changes a record: nobody has changed it since the form was drawn."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.model.precondition import Precondition


def as_drawn(fields: Mapping[str, str]) -> Precondition | None:
    """That a record is still as its form was drawn from, by ``modified``; None = the form does not say."""
    modified = fields.get("modified")
    return (lambda changed_ms: str(changed_ms) == modified) if modified else None
