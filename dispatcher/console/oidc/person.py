"""A person as the provider's claims tell: who it is, its name, its groups. Pure; gives nobody a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.model.access import PERSON

MAX_NAME_CHARS = 100
MAX_GROUPS = 1000
_NAMES = ("name", "preferred_username", "email")


@dataclass(frozen=True, slots=True)
class Person:
    """``client_id`` is the author of what the person does: ``oidc:ISS#sub``."""

    client_id: str
    name: str
    groups: tuple[str, ...]


def person_of(claims: Mapping[str, Any], claim: str) -> Person:
    """Of claims that were checked. ``claim`` names the groups: a list of texts, or one text."""
    client_id = f"{PERSON}{claims['iss']}#{claims['sub']}"
    name = next((text for one in _NAMES if (text := _line(claims.get(one)))), str(claims["sub"]))
    return Person(client_id, name[:MAX_NAME_CHARS], groups_of(claims.get(claim)))


def groups_of(value: object) -> tuple[str, ...]:
    """A list or one text; anything else names no group."""
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value[:MAX_GROUPS] if isinstance(one, str)) if isinstance(value, list) else ()


def _line(value: object) -> str:
    return "".join(char for char in value if char.isprintable()).strip() if isinstance(value, str) else ""
