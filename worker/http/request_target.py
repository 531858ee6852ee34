"""Text of a URL as it goes over the wire: to the byte as it was configured (RFC 3986 §2.2, §6.2.2). Pure.

A reserved character and its ``%XX`` are not the same, and ``..`` is not ours to resolve. Encoded are only characters
that RFC 3986 does not have, and a ``%`` that no two hex digits follow.
"""

from __future__ import annotations

import re
from functools import lru_cache

from yarl import URL

_FOREIGN = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]|%(?![0-9A-Fa-f]{2})")
_AUTHORITY_END = re.compile(r"[/?#]")


def request_target(url: str) -> str:
    """Path and query, cut from the text; an empty path is ``/`` (RFC 9112 §3.2.1). A fragment is not sent."""
    _, _, rest = url.partition("://")
    begin = _AUTHORITY_END.search(rest)
    target = _FOREIGN.sub(_encoded, rest[begin.start() :].partition("#")[0]) if begin else ""
    return target if target.startswith("/") else f"/{target}"


@lru_cache(maxsize=4096)
def sent_url(url: str) -> str:
    """The whole URL as it is sent, its host in the form that is looked up; as it is when it has none."""
    try:
        origin = str(URL(url).origin())
    except ValueError:
        return url
    return origin + request_target(url)


def asked_with(target: str, query: str) -> str:
    """A URL or a target, neither with a fragment, with one more parameter."""
    return f"{target}{'&' if '?' in target else '?'}{query}"


def _encoded(found: re.Match[str]) -> str:
    return "".join([f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace")])
