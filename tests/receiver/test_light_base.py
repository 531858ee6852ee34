"""``dispatcher.client`` and ``dispatcher.receiver`` work where nothing of the server's is installed."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest

from tests.programs import Ran, completed

ROOT = Path(__file__).parents[2]
LIGHT_BASE = ("aiohttp", "cryptography", "orjson")
LIGHT = re.compile(
    r"dispatcher(\.(client|receiver)(\.\w+)*|\.errors|\.policy(\.notification(\.signing)?)?|\.model(\.payload)?)?"
)


def with_needs(*names: str) -> Iterator[Distribution]:
    """Distributions, and those that they need and that are installed here."""
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if (canonical := re.sub(r"[-_.]+", "-", name).lower()) in seen:
            continue
        seen.add(canonical)
        try:
            found = distribution(name)
        except PackageNotFoundError:  # for another Python
            continue
        yield found
        needed = [one for one in found.requires or [] if "extra ==" not in one]
        waiting += [re.split(r"[^\w.-]", one)[0] for one in needed]


def run_where_only(folder: Path, distributions: tuple[str, ...], *command: str) -> Ran:
    """A fresh interpreter, for which ``folder`` comes to hold ``distributions`` and all modules of this one."""
    (folder / "dispatcher").symlink_to(ROOT / "dispatcher")
    for one in with_needs(*distributions):
        tops = {file.parts[0] for file in one.files or []} - {"..", "__pycache__"}
        for top in tops:
            (folder / top).symlink_to(str(one.locate_file(top)))
    alone = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); " + command[0]]
    return completed([*alone, *command[1:]])


def loaded(folder: Path, distributions: tuple[str, ...], *names: str) -> set[str]:
    """Modules that an interpreter has after importing ``names``, where only ``distributions`` are installed."""
    done = run_where_only(folder, distributions, f"import json, {', '.join(names)}; print(json.dumps([*sys.modules]))")
    assert done.status == 0, done.err
    return set(json.loads(done.out))


def of_the_server(modules: set[str]) -> set[str]:
    return {one for one in modules if one.partition(".")[0] in {"dispatcher", "worker"} and not LIGHT.fullmatch(one)}


def every_module(package: str) -> list[str]:
    folder = ROOT / "dispatcher" / package
    return [f"dispatcher.{package}.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"]


def test_client_and_receiver_need_three_distributions_and_nothing_of_the_server(tmp_path: Path) -> None:
    modules = every_module("client") + every_module("receiver")
    found = loaded(tmp_path, LIGHT_BASE, *modules)
    assert "dispatcher.receiver.for_aiohttp" in found
    assert of_the_server(found) == set()


def test_verifying_needs_no_aiohttp(tmp_path: Path) -> None:
    modules = ("dispatcher.receiver", "dispatcher.receiver.for_asgi", "dispatcher.receiver.for_wsgi")
    assert of_the_server(loaded(tmp_path, ("cryptography", "orjson"), *modules)) == set()


@pytest.mark.parametrize("entry", ["main", "processes.serve", "processes.worker"])
def test_the_command_line_says_what_installs_it(entry: str, tmp_path: Path) -> None:
    done = run_where_only(tmp_path, LIGHT_BASE, f"from dispatcher.cli.{entry} import main")
    assert (done.status, done.out) == (2, "")
    assert "pip install 'marketplace-dispatcher[embedded]'" in done.err


def test_the_distribution_needs_the_light_base_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [re.split(r"[^\w.-]", one)[0] for one in project["dependencies"]] == list(LIGHT_BASE)
    extras = project["optional-dependencies"]
    assert all("marketplace-dispatcher[server]" in needed for name, needed in extras.items() if name != "server")
