"""Fields of an integration from what was typed: a file, one URL for all types, single fields by their paths."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dispatcher.cli.terminal.typed_json import parsed, raw_bytes, set_field
from dispatcher.errors import ConfigurationError, RequestError
from dispatcher.model.event_type import TYPE_RULES
from dispatcher.policy.strict_json import read_object


def document_from(
    file: Path | None, url: str | None, fields: Iterable[str], cleared: Iterable[str] = ()
) -> dict[str, Any]:
    """Raises ConfigurationError for a file that is no JSON object, and for a field that cannot be set."""
    document = _read(file) if file else {}
    if url:
        document |= {rule.url_field: url for rule in TYPE_RULES.values() if rule.configurable and rule.url_field}
    for given in fields:
        path, equals, text = given.partition("=")
        if not equals or not path:
            raise ConfigurationError(f"--set {path}: write it as field=value, such as --set createUrl=https://…")
        set_field(document, path, _value(path, text))
    return document | dict.fromkeys(cleared)


def _value(path: str, text: str) -> Any:
    """``@FILE`` is what the file holds, so that no secret stands in a list of processes."""
    if text.startswith("@"):
        try:
            return raw_bytes(Path(text[1:])).decode().removesuffix("\n")
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"--set {path}: {text[1:]} is not UTF-8") from error
    try:
        return parsed(text)
    except RequestError as error:
        raise ConfigurationError(f"--set {path}: {error}") from error


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_object(raw_bytes(file))
    except RequestError as error:
        raise ConfigurationError(f"{file}: {error}") from error
