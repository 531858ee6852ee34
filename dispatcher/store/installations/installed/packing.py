"""Steps of an installation in its record: those of the installed revision's template are named, and not repeated.

A record says of each only whether it is completed, and its connection where that is another than the template's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from dispatcher.model.installation import Installation, InstallStep
from dispatcher.model.integration import Revision
from dispatcher.store.definitions.records import BrokenDefinition

Steps = tuple[InstallStep, ...]
FindRevision = Callable[[str, int], Awaitable[Revision | None]]

CAPACITY = 10_000
"""States of templates that are kept unpacked."""


class Packing:
    """One per process. ``find`` is asked for immutable revisions only."""

    def __init__(self, find: FindRevision) -> None:
        self._find = find
        self._unpacked: dict[tuple[str, int, tuple[str, ...]], Steps] = {}

    async def packed(self, installation: Installation) -> Installation:
        """As it is written: without the steps, if they are its template's."""
        template = await self._template(installation)
        if not template or len(template) != len(installation.install):
            return installation
        marks = [_mark(step, original) for step, original in zip(installation.install, template, strict=True)]
        if any(mark is None for mark in marks):
            return installation
        return replace(installation, install=(), packed=tuple(mark or "" for mark in marks))

    async def unpacked(self, installation: Installation) -> Installation:
        """As it was before. Raises ``BrokenDefinition`` when the revision is gone."""
        if not installation.packed:
            return installation
        key = (installation.integration_id or "", installation.revision or 0, installation.packed)
        steps = self._unpacked.get(key)
        if steps is None:
            steps = _unpacked(await self._template(installation), installation)
            if len(self._unpacked) >= CAPACITY:
                self._unpacked.clear()
            self._unpacked[key] = steps
        return replace(installation, install=steps, packed=())

    async def _template(self, installation: Installation) -> Steps:
        lane, number = installation.integration_id, installation.revision
        revision = await self._find(lane, number) if lane and number else None
        return revision.install_template if revision else ()


def _mark(step: InstallStep, original: InstallStep) -> str | None:
    """``1`` completed, ``0`` open, with the step's own connection behind it; None = it is another step."""
    if replace(step, completed=original.completed, connection_id=original.connection_id) != original:
        return None
    own = "" if step.connection_id == original.connection_id else f":{step.connection_id or ''}"
    return f"{int(step.completed)}{own}"


def _unpacked(template: Steps, installation: Installation) -> Steps:
    if len(template) != len(installation.packed):
        text = f"The steps of {installation.id} cannot be read: revision {installation.revision} is not what it was."
        raise BrokenDefinition(f"{text} Restore it from a backup.")
    return tuple(
        replace(
            step,
            completed=mark[:1] == "1",
            connection_id=(mark[2:] or None) if mark[1:2] == ":" else step.connection_id,
        )
        for step, mark in zip(template, installation.packed, strict=True)
    )
