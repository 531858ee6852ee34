"""Unique secrets, and finding them in clear, in hexadecimal and in base64 at every alignment. Holds no test."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Canaries:
    """By what kind of secret it is."""

    planted: dict[str, str] = field(default_factory=dict)

    def new(self, kind: str, prefix: str = "Canary") -> str:
        return self.note(kind, prefix + secrets.token_hex(12))

    def note(self, kind: str, text: str) -> str:
        assert len(text) >= 16, kind
        self.planted[kind] = text
        return text

    def found_in(self, where: str, text: bytes) -> list[str]:
        return [
            f"{kind} as {form} in {where}"
            for kind, secret in self.planted.items()
            for form, needle in forms(secret.encode())
            if needle in text
        ]


def forms(secret: bytes) -> Iterator[tuple[str, bytes]]:
    yield "clear", secret
    yield "hexadecimal", secret.hex().encode()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret)
        inner = whole[(before * 8 + 5) // 6 : len(whole) - 4]
        yield "base64", inner
        yield "base64", inner.replace(b"+", b"-").replace(b"/", b"_")
