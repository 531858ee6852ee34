"""A real Chromium, one for each test process; a pytest plugin. Reaches nothing beyond loopback."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import attended
from tests.waiting import wait_until

NAMES = ("chromium", "chromium-browser", "google-chrome")
READY_DEADLINE_S = 60.0
LOOPBACK_ONLY = "MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
"""Names below ``.test`` are this machine, for pages of several sites; any other name is unknown."""

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules={LOOPBACK_ONLY}",
    "--remote-debugging-port=0",
)


def binary() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert found, "install chromium: pages are tried in a real browser (.ci/install-programs does it)"
    return found


def devtools_port(profile: Path, log: Path) -> int:
    """The port that Chromium chose, once it listens there."""
    chosen = profile / "DevToolsActivePort"

    def port() -> int | None:
        lines = chosen.read_text().splitlines()
        return int(lines[0]) if len(lines) == 2 else None

    return wait_until(port, READY_DEADLINE_S, despite=FileNotFoundError, tell=log.read_text)


@pytest.fixture(scope="session")
def devtools_url() -> Iterator[str]:
    """The address of a browser that lives as long as this test process."""
    with tempfile.TemporaryDirectory(prefix="dc-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        profile, log = Path(folder) / "profile", Path(folder) / "log"
        command = [binary(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        with log.open("wb") as output, attended(command, log=output), pytest.MonkeyPatch.context() as patch:
            patch.setenv("NODE_COMPILE_CACHE", f"{folder}/node")  # every test starts what drives the browser
            yield f"http://127.0.0.1:{devtools_port(profile, log)}"
