"""``dispatcher.client`` and ``dispatcher.receiver`` work where nothing of the server's is installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
IMPORT = """
import importlib, json, sys
names, folder = json.loads(sys.argv[1])
sys.path.insert(0, folder)
for name in names:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""
LIGHT = re.compile(r"dispatcher(\.(client|receiver)(\.\w+)*|\.errors|\.policy(\.signing)?)?")


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


def loaded(folder: Path, distributions: tuple[str, ...], *names: str) -> set[str]:
    """Modules that an interpreter has after importing ``names``, where only ``distributions`` are installed."""
    (folder / "dispatcher").symlink_to(ROOT / "dispatcher")
    for one in with_needs(*distributions):
        tops = {file.parts[0] for file in one.files or []} - {"..", "__pycache__"}
        for top in tops:
            (folder / top).symlink_to(str(one.locate_file(top)))
    command = [sys.executable, "-I", "-S", "-c", IMPORT, json.dumps([names, str(folder)])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def of_the_server(modules: set[str]) -> set[str]:
    return {one for one in modules if one.partition(".")[0] in {"dispatcher", "worker"} and not LIGHT.fullmatch(one)}


def every_module(package: str) -> list[str]:
    folder = ROOT / "dispatcher" / package
    return [f"dispatcher.{package}.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"]


def test_client_and_receiver_need_three_distributions_and_nothing_of_the_server(tmp_path: Path) -> None:
    modules = every_module("client") + every_module("receiver")
    found = loaded(tmp_path, ("aiohttp", "cryptography", "orjson"), *modules)
    assert "dispatcher.receiver.for_aiohttp" in found
    assert of_the_server(found) == set()


def test_verifying_needs_no_aiohttp(tmp_path: Path) -> None:
    modules = ("dispatcher.receiver", "dispatcher.receiver.for_asgi", "dispatcher.receiver.for_wsgi")
    assert of_the_server(loaded(tmp_path, ("cryptography", "orjson"), *modules)) == set()
