"""Imports libraries without what they would load and nobody here uses: a fifth of a start, and 7 MB of a process.

Comes before whoever else imports them. Nothing of it lasts: what is held back is there for everybody afterwards.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

from dispatcher.cli.ending import nothing_collected

JWT = "jwt"
"""Loaded by redis, for tokens of Entra ID."""
RICH = "rich"
"""Loaded by structlog, for tracebacks in colours; ours are plain (``dispatcher.telemetry.logs``)."""
NO_CERTIFICATES = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
"""OpenSSL looks there where the system's are asked for."""


def import_log_and_store() -> None:
    """structlog without rich, which it can do without, and redis with a JWT that is loaded when it is used."""
    with _meanwhile(RICH, None):
        import_module("structlog")
    with _meanwhile(JWT, _loaded_when_used(JWT)):
        import_module("redis.asyncio")


def import_server(module: str) -> None:
    """All of a process that serves or delivers, before it begins: what that makes is never looked through for garbage.

    aiohttp comes without the system's certificates, which it would read twice, for contexts that go unused here. From
    then on those trust nobody: each request brings its context, as those of ``worker.http.tls``.
    """
    with nothing_collected():
        with _environment(NO_CERTIFICATES):
            import_module("aiohttp")
        import_module(module)


@contextmanager
def _environment(changed: Mapping[str, str]) -> Iterator[None]:
    before = os.environ.copy()
    os.environ.update(changed)
    try:
        yield
    finally:
        for name in changed:
            del os.environ[name]
            if name in before:
                os.environ[name] = before[name]


@contextmanager
def _meanwhile(name: str, module: ModuleType | None) -> Iterator[None]:
    """``import name`` finds ``module`` until this ends, unless it was imported before; None = it is not installed."""
    if name in sys.modules:
        yield
        return
    modules: dict[str, Any] = sys.modules
    modules[name] = module
    try:
        yield
    finally:
        del modules[name]


def _loaded_when_used(name: str) -> ModuleType:
    """Stands for a module, which whoever looks into it gets to see."""
    standing_in = ModuleType(name)
    vars(standing_in)["__getattr__"] = lambda attribute: getattr(import_module(name), attribute)
    return standing_in
