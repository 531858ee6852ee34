"""Event ids as they are typed: whole ones only, since the beginning of one tells no two events of a moment apart."""

from __future__ import annotations

import re

from dispatcher.errors import ConfigurationError

_WHOLE = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def whole_id(text: str) -> str:
    """The id as it is. Raises ConfigurationError for anything else."""
    if not _WHOLE.fullmatch(text.strip()):
        known = "give all 36 characters, as `dispatcher events` and webhook-id have them"
        raise ConfigurationError(f"{text[:80]!r} is no event id: {known}")
    return text.strip()
