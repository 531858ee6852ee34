"""Custom headers that an integration may add. None breaks framing, authentication or signature, however it is read.

Hosts behind CGI and its heirs (WSGI, Rack, PHP, FastCGI) read a header as ``HTTP_WEBHOOK_ID``: ``-``, ``_`` and every
other sign are one there (RFC 3875 §4.1.18). So names are compared as such a host reads them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from dispatcher.errors import Problem

MAX_HEADERS = 20
MAX_VALUE_CHARS = 1024

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]{1,64}")
_VALUE = re.compile(r"[\x20-\x7e]*")
_SIGN = re.compile(r"[^a-z0-9]")

FORBIDDEN_NAMES: frozenset[str] = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "forwarded",
        "host",
        "set-cookie",
        "keep-alive",
        "proxy",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-delivery-attempt",
        "x-event-type",
    }
)
FORBIDDEN_PREFIXES: tuple[str, ...] = ("proxy-", "webhook-", "x-forwarded-")


def header_problems(
    headers: Sequence[tuple[str, str]], *, authenticated: bool, field: str = "headers"
) -> list[Problem]:
    """Everything wrong with custom headers, field by field (``headers.0.name``).

    ``authenticated``: the integration has OAuth2 or Basic credentials, so ``Authorization`` is ours.
    """
    problems = []
    if len(headers) > MAX_HEADERS:
        problems.append(Problem("limit_reached", f"at most {MAX_HEADERS} custom headers", field))
    for position, (name, value) in enumerate(headers[:MAX_HEADERS]):
        problems.extend(_one(name, value, f"{field}.{position}", authenticated))
    problems.extend(_repeated((name for name, _ in headers[:MAX_HEADERS]), field))
    return problems


def _one(name: str, value: str, field: str, authenticated: bool) -> Iterable[Problem]:
    if not _NAME.fullmatch(name):
        yield Problem("header_not_allowed", "a header name is 1 to 64 token characters (RFC 9110)", f"{field}.name")
    elif _is_ours(_folded(name), authenticated):
        yield Problem("header_not_allowed", f"{name} is set by the dispatcher or by HTTP itself", f"{field}.name")
    if len(value) > MAX_VALUE_CHARS or not _VALUE.fullmatch(value):
        text = f"a header value is at most {MAX_VALUE_CHARS} printable ASCII characters"
        yield Problem("header_not_allowed", text, f"{field}.value")


def _folded(name: str) -> str:
    """The name under which a CGI host finds the header."""
    return _SIGN.sub("-", name.lower())


def _is_ours(name: str, authenticated: bool) -> bool:
    if name == "authorization":
        return authenticated
    return name in FORBIDDEN_NAMES or name.startswith(FORBIDDEN_PREFIXES)


def _repeated(names: Iterable[str], field: str) -> Iterable[Problem]:
    for name, count in Counter(_folded(name) for name in names).items():
        if count > 1:
            yield Problem("duplicate_header", f"{name[:64]!a} is given {count} times", field)
