"""The payload of an event from what was typed: a file or the type's sample, then single fields set by their paths.

JSON is read as the API reads it: what it would refuse is refused here, and no number is sent that was not given.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher.errors import ConfigurationError, RequestError
from dispatcher.policy.strict_json import read_json, read_object

if TYPE_CHECKING:
    from dispatcher.model.event_type import EventType


def payload_from(kind: EventType, file: Path | None, data: Iterable[str]) -> dict[str, Any]:
    """Raises ConfigurationError for a file that is no JSON object, and for a field that cannot be set."""
    payload = _sample(kind) if file is None else _read(file)
    for given in data:
        path, equals, value = given.partition("=")
        if not equals or not path:
            raise ConfigurationError(f"--data {given}: write it as path=value, such as --data notice.type=CLOSED")
        set_field(payload, path.removeprefix("payload."), _value(path, value))
    return payload


def _sample(kind: EventType) -> dict[str, Any]:
    from dispatcher.catalogue.samples import sample_payload  # 25 ms of verbs that want no sample

    return sample_payload(kind)


def parsed(text: str) -> Any:
    """``text`` as JSON if it is JSON, else as it is. Raises RequestError for JSON that the API would refuse."""
    try:
        return read_json(text.encode(errors="surrogateescape"))
    except RequestError as error:
        if any(problem.code != "invalid_json" for problem in error.problems):
            raise
        return text


def _value(path: str, text: str) -> Any:
    try:
        return parsed(text)
    except RequestError as error:
        raise ConfigurationError(f"--data {path}: {error}") from error


def set_field(document: dict[str, Any], path: str, value: Any) -> None:
    """Set ``a.b.0.c``: objects on the way are made, list entries must be there."""
    *way, last = path.split(".")
    holder: Any = document
    for step in way:
        holder = _entered(holder, step, path)
    if isinstance(holder, dict):
        holder[last] = value
    else:
        holder[_index(holder, last, path)] = value


def _entered(holder: Any, step: str, path: str) -> Any:
    if isinstance(holder, dict):
        if holder.get(step) is None:
            holder[step] = {}
        return holder[step]
    return holder[_index(holder, step, path)]


def _index(holder: Any, step: str, path: str) -> int:
    if not isinstance(holder, list):
        raise ConfigurationError(f"--data {path}: {step} would be inside a value that is neither object nor list")
    if not (step.isascii() and step.isdigit() and int(step) < len(holder)):
        raise ConfigurationError(f"--data {path}: {step} is no place in a list of {len(holder)}")
    return int(step)


def raw_bytes(file: Path) -> bytes:
    """The bytes of ``file``; - = standard input. Raises ConfigurationError when it cannot be read."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_object(raw_bytes(file))
    except RequestError as error:
        raise ConfigurationError(f"{file}: {error}") from error
