"""Other modules named ``worker``: none is ever run in the place of this program's own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dispatcher.store.secrets.sealing import new_key

pytestmark = pytest.mark.slow

DEADLINE_S = 30.0
FOREIGN = "open('ran', 'w').close()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Somebody's own project, which has a ``worker.py``."""
    (tmp_path / "worker.py").write_text(FOREIGN)
    return tmp_path


def environment(folder: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
    store = {"DISPATCHER_DATA_DIR": str(folder / "data"), "DISPATCHER_SECRET_KEYS": new_key()}
    return inherited | store | more


def refused(folder: Path, **more: str) -> str:
    """The words of a worker that does not start."""
    command = [sys.executable, "-m", "dispatcher.cli.main", "worker"]
    settings = environment(folder, **more)
    ended = subprocess.run(
        command, check=False, cwd=folder, env=settings, capture_output=True, text=True, timeout=DEADLINE_S
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    return ended.stderr


def test_workers_of_a_supervisor_ran_the_worker_py_of_the_folder_they_were_started_in(folder: Path) -> None:
    program = Path(sys.executable).with_name("dispatcher")
    log = folder / "log"
    with log.open("wb") as output:
        workers = subprocess.Popen(
            [program, "worker", "--processes", "2"], cwd=folder, env=environment(folder), stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + DEADLINE_S
        while log.read_text().count("worker started") < 2:
            assert time.monotonic() < deadline, log.read_text()
            assert "worker died" not in log.read_text(), log.read_text()
            time.sleep(0.05)
        workers.send_signal(signal.SIGTERM)
        assert workers.wait(DEADLINE_S) == 0
    finally:
        workers.kill()
        workers.wait()
    assert not (folder / "ran").exists()


def test_a_worker_py_that_python_would_take_is_named_and_not_run(folder: Path) -> None:
    said = refused(folder)
    assert said.startswith(f"error: `worker` is {folder / 'worker.py'} here, which is not the package that came with")
    assert "start from another folder" in said
    assert not (folder / "ran").exists()


def test_a_package_of_that_name_on_pythonpath_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere/worker").mkdir(parents=True)
    (tmp_path / "elsewhere/worker/__init__.py").write_text(FOREIGN)
    (tmp_path / "here").mkdir()
    said = refused(tmp_path / "here", PYTHONPATH=str(tmp_path / "elsewhere"))
    assert str(tmp_path / "elsewhere/worker/__init__.py") in said
    assert not (tmp_path / "here/ran").exists()
