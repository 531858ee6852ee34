"""Checks a received notification's signature and says which part is wrong. Never reads a clock.

A wrong signature alone cannot tell a wrong secret from changed bytes, so the usual ways in which bytes change
(a newline added, re-serialised JSON, another time unit) are tried, and the one that verifies is named.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from dispatcher.policy.notification.signing import VerifyingKey, signed_content

TOLERANCE_S = 300
"""The tolerance of the reference libraries, both ways."""

_MAX_ENTRIES = 32


class Part(StrEnum):
    """Faults of a signed notification."""

    TIMESTAMP = "timestamp"
    SIGNATURE = "signature"
    SECRET = "secret"  # noqa: S105 the name of a part
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Verification:
    """``wrong`` None = genuine and fresh. ``text`` says what to do next."""

    wrong: Part | None
    text: str

    @property
    def genuine(self) -> bool:
        return self.wrong is None


def verify(
    keys: Sequence[VerifyingKey],
    msg_id: str,
    timestamp: str,
    signature_header: str,
    body: bytes,
    *,
    now_s: float,
    tolerance_s: float = TOLERANCE_S,
) -> Verification:
    """Check header values as they arrived. One matching entry of one key is enough."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 15):
        return Verification(Part.TIMESTAMP, "webhook-timestamp is not whole seconds since 1970")
    entries = list(_entries(signature_header))
    if not entries:
        return Verification(Part.SIGNATURE, "webhook-signature holds no 'v1,<base64>' or 'v1a,<base64>' entry")
    check = _Check(keys, entries)
    if check.passes(signed_content(msg_id, int(timestamp), body)):
        return _freshness(int(timestamp), now_s, tolerance_s)
    found = check.unknown_scheme() or _changed(check, msg_id, int(timestamp), body) or _SECRET_OR_BYTES
    if (stale := _staleness(int(timestamp), now_s, tolerance_s)) and found.wrong is not Part.TIMESTAMP:
        return replace(found, text=f"{found.text}; webhook-timestamp is {stale}, too")
    return found


_SECRET_OR_BYTES = Verification(
    Part.SECRET,
    "no key makes this signature for these bytes: another integration's or an expired secret, "
    "or a body or webhook-id that is not the one received; compare the first characters of the secret, "
    "and verify the raw request bytes",
)


class _Check:
    """Every key against every entry of its own scheme."""

    def __init__(self, keys: Sequence[VerifyingKey], entries: Sequence[tuple[str, bytes]]) -> None:
        self._pairs = [(key, raw) for key in keys for scheme, raw in entries if key.scheme == scheme]
        self._given = sorted({key.scheme for key in keys})
        self._sent = sorted({scheme for scheme, _ in entries})

    def passes(self, content: bytes) -> bool:
        return any(key.matches(content, raw) for key, raw in self._pairs)

    def unknown_scheme(self) -> Verification | None:
        if self._pairs:
            return None
        text = f"signed with {', '.join(self._sent)}, but the key given checks {', '.join(self._given) or 'nothing'}"
        return Verification(Part.SECRET, text + ": whsec_ checks v1, whpk_ and whsk_ check v1a")


def _entries(header: str) -> Iterator[tuple[str, bytes]]:
    for entry in header.split()[:_MAX_ENTRIES]:
        scheme, _, text = entry.partition(",")
        try:
            raw = b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if scheme in ("v1", "v1a") and raw:
            yield scheme, raw


def _freshness(timestamp_s: int, now_s: float, tolerance_s: float) -> Verification:
    stale = _staleness(timestamp_s, now_s, tolerance_s)
    if stale is None:
        return Verification(None, "genuine: secret, timestamp and bytes agree")
    text = f"the signature is genuine, but webhook-timestamp is {stale}: a replay, or a clock that is wrong"
    return Verification(Part.TIMESTAMP, text)


def _staleness(timestamp_s: int, now_s: float, tolerance_s: float) -> str | None:
    off_s = now_s - timestamp_s
    if abs(off_s) <= tolerance_s:
        return None
    side = "stale: {:.0f} s old" if off_s > 0 else "{:.0f} s in the future"
    return f"{side.format(abs(off_s))}, allowed are {tolerance_s:.0f} s"


def _changed(check: _Check, msg_id: str, timestamp_s: int, body: bytes) -> Verification | None:
    if check.passes(signed_content(msg_id, timestamp_s // 1000, body)):
        return Verification(Part.TIMESTAMP, "signed with seconds, but webhook-timestamp holds milliseconds")
    for text, change in _CHANGES:
        before = change(body)
        if before is not None and before != body and check.passes(signed_content(msg_id, timestamp_s, before)):
            return Verification(Part.BODY, f"{text}; verify the raw request bytes")
    return None


def _reserialised(separators: tuple[str, str], *, ascii_only: bool) -> Callable[[bytes], bytes | None]:
    def change(body: bytes) -> bytes | None:
        try:
            return json.dumps(json.loads(body), separators=separators, ensure_ascii=ascii_only).encode()
        except (ValueError, RecursionError):
            return None

    return change


_CHANGES: tuple[tuple[str, Callable[[bytes], bytes | None]], ...] = (
    ("white space was added at the end of the body", bytes.rstrip),
    ("a newline was removed from the end of the body", lambda body: body + b"\n"),
    ("a byte order mark was added", lambda body: body.removeprefix(b"\xef\xbb\xbf")),
    ("line ends were changed to CR LF", lambda body: body.replace(b"\r\n", b"\n")),
    ("line ends were changed to LF", lambda body: body.replace(b"\n", b"\r\n")),
    ("the JSON was parsed and written again", _reserialised((",", ":"), ascii_only=False)),
    ("the JSON was parsed and written again", _reserialised((",", ":"), ascii_only=True)),
    ("the JSON was parsed and written again", _reserialised((", ", ": "), ascii_only=False)),
    ("the JSON was parsed and written again", _reserialised((", ", ": "), ascii_only=True)),
)
