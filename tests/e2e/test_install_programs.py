"""Programs that the gate's tests start are installed where they are absent, or named in a sentence. No package is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(".ci/install-programs").resolve()
WORDS_OF_APT = 'echo "$(basename "$0") $*" >>"$CALLS"; test -x "$POLICY_RC_D" && echo held >>"$CALLS"; exit $APT_ENDS'


class Machine:
    """A PATH of its own, with a root's ``id`` and an ``apt-get`` that only writes down what it is asked."""

    def __init__(self, folder: Path, *programs: str, user: int = 0, apt_ends: int | None = 0) -> None:
        self.folder, self.calls, self.policy = folder, folder / "calls", folder / "policy-rc.d"
        self.environment = {"PATH": str(folder / "bin"), "CALLS": str(self.calls), "POLICY_RC_D": str(self.policy)}
        self.environment["APT_ENDS"] = str(apt_ends)
        (folder / "bin").mkdir()
        for tool in ("bash", "basename", "chmod", "rm"):
            found = shutil.which(tool)
            assert found
            (folder / "bin" / tool).symlink_to(found)
        stubs = dict.fromkeys(programs, "exit 0") | {"id": f"echo {user}"}
        for name, text in (stubs | ({} if apt_ends is None else {"apt-get": WORDS_OF_APT})).items():
            (folder / "bin" / name).write_text(f"#!{shutil.which('bash')}\n{text}\n")
            (folder / "bin" / name).chmod(0o755)

    def install(self) -> subprocess.CompletedProcess[str]:
        bash = str(self.folder / "bin" / "bash")
        return subprocess.run(
            [bash, SCRIPT], check=False, env=self.environment, capture_output=True, text=True, timeout=20
        )

    @property
    def asked(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


def test_nothing_is_asked_for_where_every_program_is(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "redis-server", "chromium", "curl", user=1000)
    done = machine.install()
    assert (done.returncode, done.stdout, done.stderr, machine.asked) == (0, "", "", [])


def test_only_what_is_absent_is_installed_and_no_service_started(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "curl")
    done = machine.install()
    assert done.returncode == 0, done.stderr
    install = "apt-get install -qq -y --no-install-recommends redis-server chromium fonts-dejavu-core"
    assert machine.asked == ["apt-get update -qq", "held", install, "held"]
    assert not machine.policy.exists()


def test_policy_of_the_machine_stays_as_it_was(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "chromium", "curl")
    machine.policy.write_text("of the administrator")
    assert machine.install().returncode == 0
    assert machine.policy.read_text() == "of the administrator"


@pytest.mark.parametrize(
    ("user", "apt_ends", "reason"),
    [(0, None, "has no apt-get"), (1000, 0, "only root may"), (0, 100, "apt-get could not install")],
)
def test_where_it_cannot_be_done_a_sentence_says_what_to_do(
    tmp_path: Path, user: int, apt_ends: int | None, reason: str
) -> None:
    machine = Machine(tmp_path, "redis-server", "curl", user=user, apt_ends=apt_ends)
    done = machine.install()
    assert done.returncode == 2
    assert reason in done.stderr
    assert "apt-get install -y --no-install-recommends chromium fonts-dejavu-core\n" in done.stderr
    assert not machine.policy.exists()


def test_script_may_be_run_as_it_is() -> None:
    assert os.access(SCRIPT, os.X_OK)
