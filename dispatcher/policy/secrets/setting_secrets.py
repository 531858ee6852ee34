"""Secrets among the settings of an installation: which texts they are, and settings with each of them replaced. Pure.

Secret is the ``value`` of a field whose ``type`` says so, as forms in ``sections`` have it, and every text below a key
``encrypted``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

MASK = "******"
"""Shown in the place of a secret. Sent back by a client that changed something else: keep what there is."""

SECRET_TYPES = frozenset({"password", "secret"})
"""Types of fields, in any case."""
_SECRET_KEY = "encrypted"  # noqa: S105 - a name

_WORDS = tuple(f'"{word}"'.encode() for word in (*SECRET_TYPES, _SECRET_KEY))

Change = Callable[[str, str], str]
"""Name of a secret and its text → what is to stand in its place."""


def with_secrets(settings: Any, change: Change) -> Any:
    """The settings with every secret changed. One of a field that has a name is known by that, others by their path."""
    return _changed(settings, change, "")


def masked(settings: Any) -> Any:
    """As it is shown; not to be changed. Settings without a secret, which most are, come back as they are."""
    if not _may_hold_secrets(settings):
        return settings
    return with_secrets(settings, lambda _, text: MASK if text else "")


def secrets_of(settings: Any) -> dict[str, str]:
    """Every secret that is not empty, by its name."""
    found: dict[str, str] = {}

    def noted(name: str, text: str) -> str:
        if text:
            found[name] = text
        return text

    with_secrets(settings, noted)
    return found


def _may_hold_secrets(settings: Any) -> bool:
    """False only where no word of theirs stands anywhere: a tenth of the time of walking through all of it."""
    try:
        text = orjson.dumps(settings).lower()
    except TypeError:
        return True
    return any(word in text for word in _WORDS)


def _changed(value: Any, change: Change, path: str) -> Any:
    if isinstance(value, list):
        return [_changed(one, change, f"{path}.{number}") for number, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    secret = _is_secret_field(value)
    name = str(value.get("name") or path)
    return {
        key: _member(key, one, change, path, name if secret and key == "value" else None) for key, one in value.items()
    }


def _member(key: str, value: Any, change: Change, path: str, name: str | None) -> Any:
    if name is not None and isinstance(value, str):
        return change(f"field:{name}", value)
    if key == _SECRET_KEY:
        return _all_changed(value, change, f"{path}.{key}")
    return _changed(value, change, f"{path}.{key}")


def _all_changed(value: Any, change: Change, path: str) -> Any:
    if isinstance(value, str):
        return change(path, value)
    if isinstance(value, list):
        return [_all_changed(one, change, f"{path}.{number}") for number, one in enumerate(value)]
    if isinstance(value, dict):
        return {key: _all_changed(one, change, f"{path}.{key}") for key, one in value.items()}
    return value


def _is_secret_field(value: dict[str, Any]) -> bool:
    kind = value.get("type")
    return isinstance(kind, str) and kind.lower() in SECRET_TYPES
