"""The README is run: its quick start line by line, its demo, and what it shows is compared with what comes out.

Ports are replaced by free ones. What would need a package index or containers is read, not run.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.shown import END, ROOT, Block, assert_shown, blocks_of, fill_checkout, run
from tests.ports import free_ports

pytestmark = pytest.mark.slow

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


BLOCKS = blocks_of(README)
QUICK_START = [block for block in BLOCKS if block.tag == "quick-start"]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A checkout as the quick start finds it after `make demo`; a short path, for the sake of sockets."""
    with tempfile.TemporaryDirectory(prefix="dr-", dir="/tmp") as name:
        place = Path(name)
        fill_checkout(place)
        yield place


@pytest.fixture(scope="module")
def outputs(folder: Path) -> list[str]:
    """Output of each block of the quick start."""
    api = free_ports(2)
    host = api + 1
    script = "".join(f"{block.text}echo; echo '{END}'\n" for block in QUICK_START)
    script = script.replace(":8080", f":{api}").replace(":9000", f":{host}").replace("--port 9000", f"--port {host}")
    printed = run(["bash", "-e", "-c", script], folder, DISPATCHER_PORT=str(api)).split(END)
    assert len(printed) == len(QUICK_START) + 1, printed
    return printed


def shown_after() -> list[tuple[int, Block]]:
    """Each block of output with the number of the quick start's block that it follows."""
    pairs = []
    for before, block in pairwise(BLOCKS):
        if before.tag == "quick-start" and block.language in {"json", "text"}:
            pairs.append((QUICK_START.index(before), block))
    return pairs


@pytest.mark.parametrize(("position", "block"), shown_after(), ids=lambda value: str(value)[:2])
def test_quick_start_prints_what_the_readme_shows(outputs: list[str], position: int, block: Block) -> None:
    assert_shown(block.text, outputs[position])


def test_quick_start_ends_with_a_delivered_event(outputs: list[str]) -> None:
    lines = [line for text in outputs for line in text.splitlines() if line.startswith("{")]
    documents: list[dict[str, Any]] = [json.loads(line) for line in lines]
    ended = [one for one in documents if one.get("consumed")]
    assert [(one["status"], one["attempts"]) for one in ended] == [("SUCCEEDED", 1)]


def test_demo_prints_what_the_readme_shows(folder: Path) -> None:
    shown = next(block for block in BLOCKS if block.tag == "demo")
    output = run([str(folder / ".venv/bin/dispatcher"), "demo", "--exit", "--port", "0"], folder)
    assert_shown(shown.text, output)


@pytest.mark.parametrize(
    ("target", "expected"),
    [("demo ARGS=--exit", "dispatcher demo --exit"), ("test", "python -m pytest")],
    ids=["demo", "test"],
)
def test_make_targets_run_what_the_readme_says(target: str, expected: str, folder: Path) -> None:
    assert f"make {target}\n" in README
    assert expected in run(["make", "--dry-run", "-C", str(ROOT), *target.split()], folder)


def test_plain_pip_stands_for_what_make_does() -> None:
    lines = [line for block in BLOCKS for line in block.text.splitlines() if "pip install" in line]
    assert len(lines) == 2
    for options in ("install --require-hashes -r requirements/runtime.txt", "install --no-deps --no-build-isolation"):
        assert options in re.sub(r" --(quiet|disable-pip-version-check)", "", MAKEFILE)
        assert any(options in line for line in lines)


def test_compose_commands_use_what_the_compose_file_has() -> None:
    compose = (ROOT / "docker-compose.yml").read_text()
    text = "".join(block.text for block in BLOCKS if block.tag == "docker")
    for variable in re.findall(r"^(?:export )?([A-Z_]+)=", text, re.MULTILINE):
        assert "${" + variable in compose
    for service in re.findall(r"docker compose exec (\w+)", text):
        assert service in yaml.safe_load(compose)["services"]


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "sh"], ids=lambda block: block.tag)
def test_every_block_is_sound_shell_and_tested(block: Block, folder: Path) -> None:
    run(["bash", "-n", "-c", block.text], folder)
    assert block.tag in {"quick-start", "docker", "host-application"} or re.match(r"make |python3 -m venv ", block.text)
