"""As much of a request as errors and the log tell of it: aiohttp's own requests have it, and so has ``Plain``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class Asked(Protocol):
    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def query(self) -> Mapping[str, str]: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def remote(self) -> str | None: ...


class Plain(NamedTuple):
    """Of a request that aiohttp makes none of."""

    method: str
    path: str
    headers: Mapping[str, str]
    remote: str | None
    query: Mapping[str, str] = {}
