"""Integrations by what people call them: an id, or a name that only one has. Never guesses between two."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from dispatcher.cli.terminal.output import cell
from dispatcher.client import ApiError, Client
from dispatcher.client.definitions import DefinitionJson
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.policy.unknown_fields import near_name

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NOT_FOUND, NOT_ALLOWED = 404, 403


@dataclass(frozen=True, slots=True)
class Named:
    """An integration for people. ``name`` None = this client may not read it."""

    id: str
    name: str | None

    def __str__(self) -> str:
        return self.id if self.name is None else f"{cell(self.name)} ({self.id})"

    @property
    def argument(self) -> str:
        """As a shell takes it: the name, unless it holds what a terminal must not be shown."""
        plain = self.name is not None and self.name == cell(self.name) and not self.name.startswith("-")
        return shlex.quote(self.name) if self.name and plain else self.id


async def integration_id(client: Client, given: str) -> str:
    """The UUID of the integration of that id, or of that name in any case.

    What this client may not read is given back, for the API to refuse. Raises ConfigurationError when several match,
    ``ApiError`` (404) when none does.
    """
    return given if UUID.fullmatch(given) else (await named(client, given)).id


async def named(client: Client, given: str) -> Named:
    """The integration of that id, or of that name in any case. Raises as ``integration_id``."""
    try:
        return _of(await client.definitions.get(given))
    except ApiError as error:
        if error.status not in (NOT_FOUND, NOT_ALLOWED):
            raise
        return Named(given, None) if error.status == NOT_ALLOWED else await _by_name(client, given)


async def names(client: Client, ids: set[str]) -> dict[str, str]:
    """Names of integrations, as far as this client may read them; of one that is gone its id."""
    return {one: await _name(client, one) for one in sorted(ids)}


async def _by_name(client: Client, given: str) -> Named:
    wanted, known, found = given.casefold(), set[str](), list[Named]()
    async for one in client.definitions.all():
        known.add(one["name"])
        if one["name"].casefold() == wanted:
            found.append(_of(one))
    if not found:
        raise ApiError(NOT_FOUND, [Problem("not_found", _none(given, known))])
    if len(found) > 1:
        ids = ", ".join(one.id for one in found[:10])
        raise ConfigurationError(f"{len(found)} integrations are called {given}; give an id: {ids}")
    return found[0]


def _none(given: str, known: set[str]) -> str:
    near = near_name(given, known)
    hint = f"; did you mean {cell(near)}?" if near else ":"
    return f"there is no integration {cell(given)[:64]!r}{hint} `dispatcher integrations list` shows them"


def _of(definition: DefinitionJson) -> Named:
    return Named(str(definition["id"]), str(definition["name"]))


async def _name(client: Client, any_id: str) -> str:
    try:
        return str((await client.definitions.get(any_id))["name"])
    except ApiError as error:
        if error.status not in (NOT_FOUND, NOT_ALLOWED):
            raise
        return any_id
