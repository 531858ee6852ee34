"""A key is spelled once in Python, once in Lua, and is in a family that its user is asked to be allowed."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest
from redis.asyncio import Redis

import dispatcher
import worker
from dispatcher.store.keys import definitions, deployment, forms, installations, queue
from dispatcher.store.keys.families import FAMILIES, JOB_FAMILIES

SAMPLES = {"partition": 3, "number": 3, "own_key": "{p3}:own"}
"""By the name of a parameter; any other is its own name."""
PROMISE = re.compile(
    r"(?:(?:string|hash|list|set|zset|stream): .+ (?:Until .+|For ever)\. Written (?:by .+|at .+)\."
    r"|none: .+ Never there\. Written by nobody\.|channel: .+\.)"
)
SPELLED = re.compile(r"\{(?:def|p\d*)\}:|^(?:idem|limit|redelivery|revoked|token|token-lock|arq):|^dispatcher:")
FUNCTION = re.compile(r"^local function (\w+)\(([\w, ]+)\)", re.MULTILINE)
CONTEXTS = {"token:"}
"""Texts that begin like a key and are none: what a cached token is sealed for."""
MODULES = (queue, definitions, installations, deployment)
ROOTS = [Path(next(iter(package.__path__))) for package in (dispatcher, worker)]
PRELUDE = files("dispatcher.store").joinpath("lua/_queue.lua").read_text()


def spelled() -> dict[str, str]:
    """Every key with the name by which it is asked for, parts of it being the names of its parameters."""
    return {f"{module.__name__}.{name}": key for module in MODULES for name, key in _spelled_by(module)}


def _spelled_by(module: ModuleType) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for name, value in vars(module).items() if name.isupper() and isinstance(value, str))
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if name not in vars(forms):
            yield name, function(*(SAMPLES.get(part, part) for part in inspect.signature(function).parameters))


def channels() -> set[str]:
    return {name for name in spelled() if name.lower().endswith("channel")}


def promises() -> Iterator[tuple[str, str]]:
    """Each name of the modules with what is said of it."""
    for module in MODULES:
        yield from _promises_of(ast.parse(inspect.getsource(module)).body)


def _promises_of(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef):
            yield node.name, ast.get_docstring(node) or ""
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Call):
            told = following.value if isinstance(following, ast.Expr) else None
            yield ast.unparse(node.targets[0]), str(told.value) if isinstance(told, ast.Constant) else ""


@pytest.mark.parametrize(("name", "promise"), list(promises()))
def test_each_key_says_type_fields_lifetime_and_writer(name: str, promise: str) -> None:
    assert PROMISE.fullmatch(" ".join(promise.split())), f"{name}: {promise}"


def test_each_key_is_spelled_once() -> None:
    found = list(spelled().values())
    assert len(found) == len(set(found))


def test_each_key_is_in_a_family_and_each_family_has_a_key() -> None:
    of_store = {name: key for name, key in spelled().items() if name not in channels()}
    families = {name: [one for one in FAMILIES if fnmatchcase(key, one)] for name, key in of_store.items()}
    assert {name for name, found in families.items() if not found} == set()
    assert {one for found in families.values() for one in found} == set(FAMILIES)
    for jobs in (deployment.JOBS, deployment.ERRANDS):
        assert any(fnmatchcase(jobs, family) for family in JOB_FAMILIES)


async def test_lua_spells_a_partitions_keys_as_python_does(redis: Redis) -> None:
    block = PRELUDE[: PRELUDE.index("-- End of the keys.")]
    fixed = [name.strip() for name in block.split("local P, ")[1].splitlines()[0].split(",")]
    built = [(name, parts.split(", ")) for name, parts in FUNCTION.findall(block) if name != "enter"]
    asked = [*fixed, *(f"{name}({', '.join(map(repr, parts))})" for name, parts in built)]
    found = await redis.eval(f"{block}\nenter(KEYS[1])\nreturn {{ {', '.join(asked)} }}", 1, "{p3}:own")  # type: ignore[misc]
    expected = [getattr(queue, name.lower())(3) for name in fixed]
    for name, parts in built:
        of_a_partition = name.endswith("_key")
        expected.append(getattr(queue, name.removesuffix("_key"))(*([3] if of_a_partition else []), *parts))
    assert [key.decode() for key in found] == expected


def test_no_other_lua_spells_a_key() -> None:
    block, rest = PRELUDE.split("-- End of the keys.")
    scripts = files("dispatcher.store").joinpath("lua")
    texts = [rest, *(file.read_text() for room in scripts.iterdir() if room.is_dir() for file in room.iterdir())]
    code = "\n".join(line.partition("--")[0] for text in texts for line in text.splitlines())
    assert "P .. '" in block
    assert re.findall(r"\bP \.\..*", code) == []
    assert [text for text in re.findall(r"'([^']*)'", code) if SPELLED.search(text)] == []


def literals(path: Path) -> Iterator[str]:
    """Texts that are values, not docstrings; of an f-string its beginning."""
    tree = ast.parse(path.read_text())
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.value


@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.name)
def test_no_other_python_spells_a_key(root: Path) -> None:
    found = {
        f"{path.relative_to(root)}: {text}"
        for path in root.rglob("*.py")
        if path.parent != Path(forms.__file__).parent
        for text in literals(path)
        if SPELLED.search(text) and text not in CONTEXTS
    }
    assert found == set()
