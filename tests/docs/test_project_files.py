"""Files that contributors meet first agree with the code: workflow, hooks, templates, changelog, reading order."""

from __future__ import annotations

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted(path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "For contributors")


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def versions(text: str) -> list[tuple[int, ...]]:
    """The released versions of a changelog, in the order in which they stand."""
    found = re.findall(r"^## \[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)
    return [tuple(map(int, parts)) for parts in found]


def test_gate_runs_on_every_python_that_is_supported() -> None:
    gate = parsed(ROOT / ".github/workflows/gate.yml")["jobs"]["gate"]
    prefix = "Programming Language :: Python :: "
    supported = [one.removeprefix(prefix) for one in PROJECT["project"]["classifiers"] if one.startswith(prefix)]
    assert gate["strategy"]["matrix"]["python"] == supported
    assert PROJECT["project"]["requires-python"] == f">={supported[0]}"
    assert gate["steps"][-1] == {"run": ".ci/run"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow_may_only_read_and_uses_actions_that_cannot_change(path: Path) -> None:
    workflow = parsed(path)
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert [one for one in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one)] == []


def test_hooks_run_what_the_gate_runs_and_nothing_from_elsewhere() -> None:
    config = parsed(ROOT / ".pre-commit-config.yaml")
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    checked = (ROOT / "Makefile").read_text()
    for hook in config["repos"][0]["hooks"]:
        program, *arguments = hook["entry"].split()
        if program.startswith(".venv/bin/"):
            command = " ".join([Path(program).name, *(word for word in arguments if word != "--force-exclude")])
            assert f"$(BIN)/{command}" in checked, hook["id"]
        else:
            assert (ROOT / program).exists(), hook["id"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_form_is_well_formed_and_asks_for_something(path: Path) -> None:
    form = parsed(path)
    assert form["name"]
    assert form["description"]
    asked = [field for field in form["body"] if field["type"] != "markdown"]
    assert all(field["attributes"]["label"] for field in asked)
    assert len({field["id"] for field in asked}) == len(asked)
    assert any(field.get("validations", {}).get("required") for field in asked)


def test_editors_break_lines_where_the_formatter_does() -> None:
    config = configparser.ConfigParser()
    config.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
    assert config["*"]["max_line_length"] == str(PROJECT["tool"]["ruff"]["line-length"])


def test_changelog_is_ordered_by_version_and_kind() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    released = versions(CHANGELOG)
    assert len(released) == len(headings) - 1, headings
    assert released == sorted(released, reverse=True)
    for part in re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)$", part, re.MULTILINE)
        assert kinds == [kind for kind in KINDS if kind in kinds]


def test_version_is_the_newest_of_the_changelog_or_the_first_that_is_to_come() -> None:
    own = tuple(map(int, PROJECT["project"]["version"].split(".")))
    released = versions(CHANGELOG)
    assert own == released[0] if released else f"The first version, {PROJECT['project']['version']}." in CHANGELOG


def test_order_for_readers_names_every_page() -> None:
    index = (ROOT / "docs/README.md").read_text()
    docs = ROOT / "docs"
    pages = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")} - {"README.md"}
    assert {name for name in pages if not re.search(rf"\({re.escape(name)}(#[\w-]+)?\)", index)} == set()


def test_every_folder_of_tests_is_in_the_table_of_contributing() -> None:
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/__init__.py")}
    assert set(re.findall(r"`tests/(\w+)/`", (ROOT / "CONTRIBUTING.md").read_text())) == folders


def test_every_target_of_make_is_in_its_menu_and_every_command_of_contributing_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    assert set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)) == phony
    assert set(re.findall(r"`make ([a-z]+)", (ROOT / "CONTRIBUTING.md").read_text())) <= phony


def test_unit_tests_lie_in_the_folders_of_the_packages() -> None:
    unit = ROOT / "tests/unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")}
    homeless = [
        str(folder) for folder in folders if not ((ROOT / "dispatcher" / folder).is_dir() or (ROOT / folder).is_dir())
    ]
    assert not homeless, "tests/unit mirrors dispatcher/ and worker/: let these folders follow their packages"


RELATIVE_CLAUSE = re.compile(r'^\s*"""(?:What|How|Whether|Where|When|Which|Who)\b.*', re.MULTILINE)


def test_docstrings_open_with_a_noun_or_a_verb() -> None:
    modules = [path for package in ("dispatcher", "worker") for path in (ROOT / package).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): RELATIVE_CLAUSE.findall(path.read_text()) for path in modules}
    assert not {path: lines for path, lines in found.items() if lines}, "say what it is, not what becomes of it"
