"""Programs that the gate's tests start are installed where they are absent, or named in a sentence. No package is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.programs import Ran, completed

SCRIPT = Path(".ci/install-programs").resolve()
WORDS_OF_APT = 'echo "$(basename "$0") $*" >>"$CALLS"; test -x "$POLICY_RC_D" && echo held >>"$CALLS"; exit $APT_ENDS'
WORDS_OF_DPKG = 'echo "$(basename "$0") $1 $3" >>"$CALLS"; mkdir -p usr/bin; echo promtool >usr/bin/promtool'


LANGUAGES = ("node", "php", "ruby")


class Machine:
    """A PATH of its own, with a root's ``id`` and an ``apt-get`` that only writes down what it is asked."""

    def __init__(self, folder: Path, *programs: str, user: int = 0, apt_ends: int | None = 0) -> None:
        self.folder, self.calls, self.policy = folder, folder / "calls", folder / "policy-rc.d"
        self.environment = {"PATH": str(folder / "bin"), "CALLS": str(self.calls), "POLICY_RC_D": str(self.policy)}
        self.environment |= {"APT_ENDS": str(apt_ends), "TOOLS_FOLDER": str(folder / "tools"), "TMPDIR": str(folder)}
        (folder / "bin").mkdir()
        (folder / "tools").mkdir()
        for tool in ("bash", "basename", "chmod", "install", "mkdir", "mktemp", "rm"):
            found = shutil.which(tool)
            assert found
            (folder / "bin" / tool).symlink_to(found)
        stubs = dict.fromkeys(programs, "exit 0") | {"id": f"echo {user}", "dpkg-deb": WORDS_OF_DPKG}
        for name, text in (stubs | ({} if apt_ends is None else {"apt-get": WORDS_OF_APT})).items():
            (folder / "bin" / name).write_text(f"#!{shutil.which('bash')}\n{text}\n")
            (folder / "bin" / name).chmod(0o755)

    def install(self) -> Ran:
        return completed([str(self.folder / "bin" / "bash"), str(SCRIPT)], settings=self.environment)

    @property
    def asked(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


def test_nothing_is_asked_for_where_every_program_is(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "redis-server", "chromium", "curl", "promtool", *LANGUAGES, user=1000)
    done = machine.install()
    assert (done.status, done.out, done.err, machine.asked) == (0, "", "", [])


def test_only_what_is_absent_is_installed_and_no_service_started(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "curl", "promtool")
    done = machine.install()
    assert done.status == 0, done.err
    install = (
        "apt-get install -qq -y --no-install-recommends redis-server chromium fonts-dejavu-core nodejs php-cli ruby"
    )
    assert machine.asked == ["apt-get update -qq", "held", install, "held"]
    assert not machine.policy.exists()


def test_a_tool_is_taken_out_of_its_servers_package(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "redis-server", "chromium", "curl", *LANGUAGES)
    done = machine.install()
    assert done.status == 0, done.err
    assert machine.asked == ["apt-get update -qq", "held", "apt-get download -qq prometheus", "held", "dpkg-deb -x ."]
    assert (tmp_path / "tools/promtool").read_text() == "promtool\n"
    assert os.access(tmp_path / "tools/promtool", os.X_OK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "calls", "tools"]


def test_a_tool_that_cannot_be_taken_out_is_named_with_what_does_it(tmp_path: Path) -> None:
    done = Machine(tmp_path, "redis-server", "chromium", "curl", *LANGUAGES, user=1000).install()
    assert done.status == 2
    assert "apt-get download prometheus && dpkg-deb -x prometheus_*.deb . && install usr/bin/promtool" in done.err
    assert "apt-get install" not in done.err


def test_a_package_that_does_not_unpack_is_no_success(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "redis-server", "chromium", "curl", *LANGUAGES)
    (tmp_path / "bin/dpkg-deb").write_text(f"#!{shutil.which('bash')}\nexit 2\n")
    done = machine.install()
    assert done.status == 2
    assert "promtool could not be taken out" in done.err
    assert [path for path in tmp_path.iterdir() if path.name.startswith("tmp")] == []


def test_policy_of_the_machine_stays_as_it_was(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "chromium", "curl", "promtool")
    machine.policy.write_text("of the administrator")
    assert machine.install().status == 0
    assert machine.policy.read_text() == "of the administrator"


@pytest.mark.parametrize(
    ("user", "apt_ends", "reason"),
    [(0, None, "has no apt-get"), (1000, 0, "only root may"), (0, 100, "apt-get could not install")],
)
def test_where_it_cannot_be_done_a_sentence_says_what_to_do(
    tmp_path: Path, user: int, apt_ends: int | None, reason: str
) -> None:
    machine = Machine(tmp_path, "redis-server", "curl", "promtool", *LANGUAGES, user=user, apt_ends=apt_ends)
    done = machine.install()
    assert done.status == 2
    assert reason in done.err
    assert "apt-get install -y --no-install-recommends chromium fonts-dejavu-core\n" in done.err
    assert not machine.policy.exists()


def test_script_may_be_run_as_it_is() -> None:
    assert os.access(SCRIPT, os.X_OK)
