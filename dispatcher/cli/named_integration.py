"""Integrations by what people call them: an id, or a name that only one has. Never guesses between two."""

from __future__ import annotations

import re

from dispatcher.client import ApiError, Client
from dispatcher.errors import ConfigurationError

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NOT_FOUND, NOT_ALLOWED = 404, 403


async def integration_id(client: Client, given: str) -> str:
    """The UUID of the integration of that id, or of that name in any case.

    What is no integration at all is given back, for the API to refuse. Raises ConfigurationError when several match.
    """
    if UUID.fullmatch(given):
        return given
    try:
        return str((await client.definitions.get(given))["id"])
    except ApiError as error:
        if error.status not in (NOT_FOUND, NOT_ALLOWED):
            raise
        return given if error.status == NOT_ALLOWED else await _by_name(client, given)


async def names(client: Client, ids: set[str]) -> dict[str, str]:
    """Names of integrations, as far as this client may read them; of one that is gone its id."""
    return {one: await _name(client, one) for one in sorted(ids)}


async def _by_name(client: Client, given: str) -> str:
    wanted = given.casefold()
    found = [str(one["id"]) async for one in client.definitions.all() if one["name"].casefold() == wanted]
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} integrations are called {given}; give an id: {', '.join(found[:10])}")
    return found[0] if found else given


async def _name(client: Client, any_id: str) -> str:
    try:
        return str((await client.definitions.get(any_id))["name"])
    except ApiError as error:
        if error.status not in (NOT_FOUND, NOT_ALLOWED):
            raise
        return any_id
