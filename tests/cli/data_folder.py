"""An empty data folder for the verbs, and servers announced in it. Holds no test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from dispatcher.cli.local.address_file import announced

ADMIN = {"clientId": "admin", "clientSecret": "S3cre1"}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty data folder, and an environment that says nothing else."""
    for name in [name for name in os.environ if name.startswith("DISPATCHER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@contextmanager
def running(folder: Path, *addresses: str, secret: str = "S3cre1") -> Iterator[None]:
    """A server that was started on ``folder``."""
    with announced(folder, *addresses):
        (folder / "admin.json").write_bytes(orjson.dumps(ADMIN | {"clientSecret": secret}))
        yield
