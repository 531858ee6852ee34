"""Every server binary of this machine, for what servers answer in words of their own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_sync

from tests.conftest import UNTIL_STDIN_ENDS, VOLATILE, server_binary, wait_until_ready


def servers() -> list[str]:
    """Every server binary of this machine, each once."""
    found = [server_binary(), *(path for name in ("redis-server", "valkey-server") if (path := shutil.which(name)))]
    return list({str(Path(path).resolve()): path for path in found}.values())


@pytest.fixture(scope="module", params=servers(), ids=lambda path: Path(path).name)
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="ds-", dir="/tmp") as folder:
        socket = Path(folder) / "s"
        command = [request.param, "--unixsocket", str(socket), "--dir", folder, "--logfile", f"{folder}/log", *VOLATILE]
        process = subprocess.Popen([*UNTIL_STDIN_ENDS, *command], stdin=subprocess.PIPE)
        try:
            with redis_sync.Redis(unix_socket_path=str(socket)) as client:
                wait_until_ready(client)
            yield f"unix://{socket}"
        finally:
            process.communicate(timeout=10)
