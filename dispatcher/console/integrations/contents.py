"""A version of an integration as publishers see it, flat, and the difference between two. Secrets are masked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.model.integration import Integration, Revision


@dataclass(frozen=True, slots=True)
class Difference:
    """None = it is not set there."""

    name: str
    before: str | None
    after: str | None


def contents(integration: Integration, revision: Revision) -> dict[str, str]:
    """All that is set in it: names with dots, as the API has them, and values as texts."""
    return dict(_flat("", INTEGRATION.shown(replace(integration, working=revision))))


def differences(before: dict[str, str], after: dict[str, str]) -> list[Difference]:
    """In the order of the table of fields."""
    names = dict.fromkeys([*after, *before])
    pairs = [Difference(name, before.get(name), after.get(name)) for name in names]
    return [one for one in pairs if one.before != one.after]


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else name, inner)
    elif value not in (None, [], ""):
        yield prefix, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
