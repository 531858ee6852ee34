"""Every row of ``tests/faults/README.md`` has a test that carries its id. Runs none of them.

``python -m tests.docs.test_fault_rows`` writes the last column of the tables anew.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "tests/faults/README.md"
LAST = {"FT": 50, "BI": 58}
WAITING = {"BI54": "sign-in links of pages, which there are none of yet"}
SHOWN = 3

_ID = re.compile(r"(?:^|_)(ft|bi)(\d+)(?=_|$)", re.IGNORECASE)
_ROW = re.compile(r"^(\| ((?:FT|BI)\d+) \|.*\|.*\|) ?(.*)\|$", re.MULTILINE)


def row_ids(text: str) -> set[str]:
    """The rows that a name carries: ``test_ft12_ft13_cut`` has two."""
    return {f"{kind.upper()}{int(number)}" for kind, number in _ID.findall(text)}


def _texts(node: ast.AST) -> Iterator[str]:
    return (one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _tables(module: ast.Module) -> dict[str, set[str]]:
    """Rows that the module's own tables of parameters have among their keys."""
    found: dict[str, set[str]] = {}
    for node in module.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            keys = [key for key in node.value.keys if key is not None]
            ids = {row for key in keys for text in _texts(key) for row in row_ids(text)}
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: ids for target in targets if isinstance(target, ast.Name)}
    return found


def carried(path: Path) -> Iterator[tuple[str, str]]:
    """Every row with a test of this file that carries it, as ``path::name``."""
    module = ast.parse(path.read_text("utf-8"))
    tables = _tables(module)
    for test in ast.walk(module):
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef) and test.name.startswith("test_"):
            ids = row_ids(test.name)
            for decorator in test.decorator_list:
                names = [node.id for node in ast.walk(decorator) if isinstance(node, ast.Name)]
                ids |= {row for name in names for row in tables.get(name, ())}
                ids |= {row for text in _texts(decorator) for row in row_ids(text)}
            yield from ((row, f"{path.relative_to(ROOT)}::{test.name}") for row in sorted(ids))


def by_row() -> dict[str, list[str]]:
    """Those of the fault suite first."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py"), key=lambda path: ("faults" not in path.parts, path)):
        for row, test in carried(path):
            found[row].append(test)
    return found


def written_anew(text: str) -> str:
    found = by_row()

    def row(match: re.Match[str]) -> str:
        tests = found[match[2]]
        shown = [f"`{test}`" for test in tests[:SHOWN]]
        more = [f"and {len(tests) - SHOWN} more"] if len(tests) > SHOWN else []
        return f"{match[1]} {', '.join([*shown, *more]) or WAITING[match[2]]} |"

    return _ROW.sub(row, text)


def test_every_row_has_a_test_that_carries_its_id() -> None:
    found = by_row()
    rows = {f"{kind}{number}" for kind, last in LAST.items() for number in range(1, last + 1)}
    assert sorted(rows - set(found) - set(WAITING)) == []
    assert sorted(set(found) - rows) == [], "a test carries the id of a row that there is not"
    assert sorted(set(found) & set(WAITING)) == [], "no longer waiting: take it off the list"


def test_tables_have_every_row_once_and_in_order() -> None:
    listed = [match[1] for match in _ROW.findall(TABLES.read_text("utf-8"))]
    assert listed == [f"{kind}{number}" for kind, last in LAST.items() for number in range(1, last + 1)]


def test_every_test_that_a_row_names_carries_its_id() -> None:
    found = by_row()
    for _, row, tests in _ROW.findall(TABLES.read_text("utf-8")):
        named = re.findall(r"`(tests/[^`]+)`", tests)
        assert named or row in WAITING, f"{row}: run python -m tests.docs.test_fault_rows"
        assert set(named) <= set(found[row]), f"{row}: run python -m tests.docs.test_fault_rows"


if __name__ == "__main__":
    TABLES.write_text(written_anew(TABLES.read_text("utf-8")), "utf-8")
