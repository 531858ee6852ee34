"""Names what Redis refuses for good: put right by a setting or an ACL rule, never by asking again. Sends nothing."""

from __future__ import annotations

from redis import exceptions as failures

_RULE = "docs/operations.md, Permissions, has the ACL rule that suffices; `dispatcher doctor` says what is missing"

_BY_TYPE: tuple[tuple[type[Exception], str], ...] = (
    (failures.AuthenticationError, "it refuses the user name or the password: correct them in DISPATCHER_REDIS_URL"),
    (failures.NoPermissionError, f"the user may not do what is needed: {_RULE}"),
    (failures.InvalidResponse, "what answers is not Redis: correct host and port in DISPATCHER_REDIS_URL"),
)
_BY_TEXT: tuple[tuple[str, str], ...] = (
    (
        "DB index",
        "it has no database of that number: correct the one in DISPATCHER_REDIS_URL, Redis has 0 to 15 unless set",
    ),
    ("SELECT is not allowed", "a cluster has no database but 0: use redis+cluster://host in DISPATCHER_REDIS_URL"),
    ("The user executing the script can't", f"the user may not do what a script needs: {_RULE}"),
    ("ACL failure in script", f"the user may not do what a script needs: {_RULE}"),
    (
        "unknown command",
        "it lacks a command: use Redis 7.0 or later, or Valkey, rename no command, and give no Sentinel's port",
    ),
    ("Unknown Redis command", "it lacks a command that a script needs: use Redis 7.0 or later, or Valkey"),
)
"""By a part of the reply, since servers have no codes for these. Texts of Redis 7 and 8, and of Valkey."""


def refusal(error: Exception) -> str | None:
    """A sentence with the fault, the remedy and the server's own words. None: it may pass, or Redis is not at fault."""
    for kind, advice in _BY_TYPE:
        if isinstance(error, kind):
            return _sentence(error, advice)
    if isinstance(error, (failures.ResponseError, failures.ConnectionError)):
        for part, advice in _BY_TEXT:
            if part.lower() in str(error).lower():
                return _sentence(error, advice)
    return None


def _sentence(error: Exception, advice: str) -> str:
    return f"Redis cannot be used, {advice} ({error})"
