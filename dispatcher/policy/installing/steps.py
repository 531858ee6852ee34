"""Steps of an installation as they look outside, and how those of a client are laid over those there are. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from dispatcher.model.installation import InstallStep

STEP_NAMES: dict[str, str] = {
    "name": "name",
    "description": "description",
    "imageURL": "image_url",
    "installURL": "install_url",
    "completed": "completed",
    "installerFunction": "installer_function",
    "uninstallerFunction": "uninstaller_function",
    "_connectionId": "connection_id",
    "connection": "connection",
}
"""Names outside → fields, in the order in which they are shown."""


@lru_cache(maxsize=4096)
def step_json(step: InstallStep) -> dict[str, Any]:
    """Its fields that are set, ``completed`` always, and whatever else a client gave. Not to be changed."""
    known = {name: getattr(step, field) for name, field in STEP_NAMES.items()}
    return {name: value for name, value in known.items() if value is not None} | step.unknown


def opened(steps: tuple[InstallStep, ...]) -> tuple[InstallStep, ...]:
    """The same steps, none of them completed."""
    return tuple(replace(step, completed=False) for step in steps)


def laid_over(
    before: tuple[InstallStep, ...], wanted: tuple[tuple[InstallStep, bool | None], ...]
) -> tuple[InstallStep, ...]:
    """The wanted steps, each with whether it is completed as given; None = as the step was that it replaces.

    A step replaces the first one of the same function and name, else it is a new one, and open.
    """
    left = list(before)
    laid = []
    for step, completed in wanted:
        known = next((one for one in left if _same(one, step)), None)
        if known is not None:
            left.remove(known)
        done = completed if completed is not None else known is not None and known.completed
        laid.append(replace(step, completed=done))
    return tuple(laid)


def carried_over(before: tuple[InstallStep, ...], steps: tuple[InstallStep, ...]) -> tuple[InstallStep, ...]:
    """``steps`` of a newer template, each as far as the one that it replaces; a new one is as it is."""
    left = list(before)
    carried = []
    for step in steps:
        known = next((one for one in left if _same(one, step)), None)
        if known is not None:
            left.remove(known)
            connection = step.connection_id if step.completed else known.connection_id or step.connection_id
            step = replace(step, completed=step.completed or known.completed, connection_id=connection)  # noqa: PLW2901
        carried.append(step)
    return tuple(carried)


def reconnected(steps: tuple[InstallStep, ...], connections: dict[str, str]) -> tuple[InstallStep, ...]:
    """With other connections in the place of those that are named."""
    return tuple(
        replace(step, connection_id=connections.get(step.connection_id or "", step.connection_id)) for step in steps
    )


def _same(one: InstallStep, other: InstallStep) -> bool:
    if one.installer_function or other.installer_function:
        return one.installer_function == other.installer_function
    return one.name == other.name
