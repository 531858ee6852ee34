"""Other modules named ``worker``: none is ever run in the place of this program's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dispatcher.store.secrets.sealing import new_key
from tests.programs import DEADLINE_S, Program, dispatcher_command, ran
from tests.waiting import until

pytestmark = pytest.mark.slow

FOREIGN = "open('ran', 'w').close()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Somebody's own project, which has a ``worker.py``."""
    (tmp_path / "worker.py").write_text(FOREIGN)
    return tmp_path


def settings(folder: Path, **more: str) -> dict[str, str]:
    return {"DISPATCHER_DATA_DIR": str(folder / "data"), "DISPATCHER_SECRET_KEYS": new_key()} | more


async def refused(folder: Path, **more: str) -> str:
    """The words of a worker that does not start."""
    ended = await ran(dispatcher_command("worker"), folder, settings(folder, **more))
    assert (ended.status, ended.out) == (2, "")
    return ended.err


async def test_workers_of_a_supervisor_ran_the_worker_py_of_the_folder_they_were_started_in(folder: Path) -> None:
    installed = str(Path(sys.executable).with_name("dispatcher"))
    command = (installed, "worker", "--processes", "2")
    async with Program(folder, command, settings(folder), cwd=folder) as workers:

        def both_started() -> bool:
            assert "worker died" not in workers.said(), workers.said()
            return workers.said().count("worker started") >= 2

        await until(both_started, DEADLINE_S, tell=workers.said)
        assert await workers.stop() == 0
    assert not (folder / "ran").exists()


async def test_a_worker_py_that_python_would_take_is_named_and_not_run(folder: Path) -> None:
    said = await refused(folder)
    assert said.startswith(f"error: `worker` is {folder / 'worker.py'} here, which is not the package that came with")
    assert "start from another folder" in said
    assert not (folder / "ran").exists()


async def test_a_package_of_that_name_on_pythonpath_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere/worker").mkdir(parents=True)
    (tmp_path / "elsewhere/worker/__init__.py").write_text(FOREIGN)
    (tmp_path / "here").mkdir()
    said = await refused(tmp_path / "here", PYTHONPATH=str(tmp_path / "elsewhere"))
    assert str(tmp_path / "elsewhere/worker/__init__.py") in said
    assert not (tmp_path / "here/ran").exists()
