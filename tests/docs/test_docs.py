"""The documentation is compared with the code: settings, statuses, metrics, error codes, links, tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from dispatcher.api.table import api_routes
from dispatcher.cli.main import VERBS, build
from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import TYPE_RULES
from dispatcher.model.queue import QueueOverview, Reason
from dispatcher.model.status import TERMINAL, TRANSITIONS, Status
from dispatcher.policy.answers.outcome import ERROR_CODES
from dispatcher.settings import Settings
from dispatcher.store.redis.url import Topology
from dispatcher.telemetry.metrics import families
from tests.docs.error_codes import codes_in_code, statuses_in_code

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "tests/faults/README.md"])

PROMISES = re.findall(
    r"^## (?!How to check|What is not promised)(.+)$", (DOCS / "guarantees.md").read_text(), re.MULTILINE
)
_NO_OVERVIEW = QueueOverview(0, 0, 0, 0, 0, 0, 0, 0.0, 0, [], [], [])


def page(name: str) -> str:
    return (DOCS / name).read_text()


def section(text: str, title: str) -> str:
    """From a heading to the next one of its own or a higher level."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,6}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[2]


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    named = set(re.findall(r'<a id="([\w-]+)"></a>', text))
    return named | {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_state_diagram_shows_exactly_the_transitions_of_the_code() -> None:
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", page("architecture.md"), re.MULTILINE))
    assert drawn == {(before.value, after.value) for before, following in TRANSITIONS.items() for after in following}


def test_state_diagram_ends_where_nothing_follows() -> None:
    ends = set(re.findall(r"^    (\w+) --> \[\*\]$", page("architecture.md"), re.MULTILINE))
    assert ends == {status.value for status, following in TRANSITIONS.items() if not following}


def test_transition_table_gives_the_reasons_of_the_code() -> None:
    rows = set(re.findall(r"^\| ([A-Z_]+) \| ([A-Z_]+) \| (.+) \|$", page("architecture.md"), re.MULTILINE))
    assert rows == {
        (before.value, after.value, why)
        for before, following in TRANSITIONS.items()
        for after, why in following.items()
    }


def test_every_script_is_described() -> None:
    described = set(re.findall(r"`(\w+)`", section(page("architecture.md"), "The scripts")))
    scripts = {path.stem for path in (ROOT / "dispatcher/store/lua").rglob("*.lua")}
    assert scripts <= described


def test_every_metric_is_described_and_none_else() -> None:
    text = section(page("operations.md"), "Metrics")
    worker = re.findall(r'Gauge\("(\w+)"', (ROOT / "worker/metrics.py").read_text())
    api = [family.name + ("_total" if family.type == "counter" else "") for family in families(_NO_OVERVIEW, {})]
    assert sorted(re.findall(r"^\| `(dispatcher_\w+)", text, re.MULTILINE)) == sorted([*api, *worker])


def documented_codes() -> dict[str, set[int]]:
    """Each code of docs/errors.md with the HTTP statuses that the page gives it."""
    rows = re.findall(r"^\| <a id=\"\w+\"></a>`([a-z_]+)` \| ([0-9, ]+) \|", page("errors.md"), re.MULTILINE)
    assert len(rows) == len({code for code, _ in rows})
    return {code: {int(status) for status in statuses.split(",")} for code, statuses in rows}


def test_every_error_code_is_described_and_none_else() -> None:
    assert sorted(documented_codes()) == sorted(codes_in_code(ROOT / "dispatcher"))


def test_every_error_code_has_an_anchor_a_cause_and_a_remedy() -> None:
    row = re.compile(r"^\| <a id=\"(\w+)\"></a>`(\w+)` \| [0-9, ]+ \| [^|]*\w[^|]* \| [^|]*\w[^|]* \|$", re.MULTILINE)
    found = row.findall(page("errors.md"))
    assert {code for code, _ in found} == set(documented_codes())
    assert [pair for pair in found if pair[0] != pair[1]] == []


def test_error_codes_have_the_statuses_that_they_are_raised_with() -> None:
    documented = documented_codes()
    missing = {code: found - documented[code] for code, found in statuses_in_code(ROOT / "dispatcher").items()}
    assert {code: statuses for code, statuses in missing.items() if statuses} == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("delivery.md", set(ERROR_CODES)),
        ("delivery.md", {kind.value for kind in TYPE_RULES}),
        ("delivery.md", {rule.url_field for rule in TYPE_RULES.values()}),
        ("delivery.md", {outcome.value for outcome in Outcome}),
        ("api.md", {status.value for status in Status}),
        ("api.md", {reason.value for reason in Reason}),
        ("operations.md", {f"{topology.value}://" for topology in Topology}),
        ("glossary.md", {"event", "integration", "attempt", "key", "lane", "partition", "owner"}),
        ("architecture.md", {status.value for status in TERMINAL}),
    ],
)
def test_a_page_names_every_word_of_the_code(name: str, words: set[str]) -> None:
    text = page(name)
    assert {word for word in words if word not in text} == set()


def test_every_route_is_in_the_list_of_requests() -> None:
    listed = set(re.findall(r"^\| `(GET|HEAD|POST|PUT|PATCH|DELETE) ([^`?]+)` \|", page("api.md"), re.MULTILINE))
    assert listed == {(route.method, route.path) for route in api_routes()}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_within_the_repository_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", path.read_text()):
        name, _, anchor = target.partition("#")
        file = path if not name else (path.parent / name)
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text()), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"DISPATCHER_[A-Z_]*[A-Z]", path.read_text()))
    known = {f"DISPATCHER_{name.upper()}" for name in Settings.model_fields} | {"DISPATCHER_URL", "DISPATCHER_PUBLISH"}
    assert named <= known


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_file_of_the_code_that_is_named_exists(path: Path) -> None:
    named = re.findall(r"`((?:dispatcher|worker|tests|examples|requirements)/[\w/.-]*)`", path.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_test_that_is_named_exists(path: Path) -> None:
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::([^`]+)`", path.read_text()):
        assert re.search(rf"^(async )?def {re.escape(name)}\(", (ROOT / file).read_text(), re.MULTILINE), (
            f"{file}::{name}"
        )


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_names_the_tests_that_attack_it(promise: str) -> None:
    assert re.findall(r"^- `tests/[^`]+`$", section(page("guarantees.md"), promise), re.MULTILINE)


def test_every_page_is_in_the_index_of_the_readme() -> None:
    index = section((ROOT / "README.md").read_text(), "Documentation")
    names = {path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md")}
    assert {name for name in names if f"({name})" not in index} == set()


def commands(text: str) -> list[str]:
    """Every ``dispatcher …`` in back quotes or in a block of shell, continued lines joined."""
    fenced = re.findall(r"^```sh[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.replace("\\\n", " ").splitlines()]
    in_shell = [found for line in lines for found in re.findall(r"(?:^|[(&/] ?)(dispatcher [a-z][^|>)]*)", line)]
    return in_shell + re.findall(r"`(dispatcher [a-z][^`]*)`", text)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_that_is_named_exists_with_its_options(path: Path) -> None:
    for command in commands(path.read_text()):
        _, verb, *rest = command.split()
        assert verb in {one.name for one in VERBS}, command
        known = get_command(build([verb])).commands[verb]  # type: ignore[attr-defined]
        if rest and rest[0] in getattr(known, "commands", {}):
            known = known.commands[rest[0]]
        options = {option for parameter in known.params for option in parameter.opts} | {"--help"}
        assert {word for word in rest if word.startswith("--")} <= options, command
