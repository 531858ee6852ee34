"""The pictures of imports in docs/architecture.md are what the code imports, and their arrows run one way.

``make imports`` draws them anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

PAGE = Path(__file__).parents[2] / "docs/architecture.md"
PICTURE = re.compile(r"(<!-- imports of ([\w.]+): make imports -->\n```mermaid\n)(.*?)(```\n)", re.DOTALL)

Arrows = Mapping[str, set[str]]


def imports_between_rooms(package: str) -> Arrows:
    """Each room of a package (a folder or a module of its own) with the rooms that it imports."""
    graph = grimp.build_graph("dispatcher", "worker", cache_dir=None)
    rooms = sorted(graph.find_children(package))
    for room in rooms:
        graph.squash_module(room)
    own = set(rooms)
    names = {room: room.removeprefix(f"{package}.") for room in rooms}
    return {
        names[room]: {names[other] for other in graph.find_modules_directly_imported_by(room) & own} for room in rooms
    }


def reached(arrows: Arrows, room: str) -> set[str]:
    """Every room that is imported, through others too."""
    return arrows[room].union(*(reached(arrows, other) for other in arrows[room]))


def drawn(arrows: Arrows) -> str:
    """Users above what they use; an arrow is left out where others lead the same way."""
    sorter = TopologicalSorter({room: sorted(arrows[room]) for room in sorted(arrows)})
    order = reversed(list(sorter.static_order()))
    return "flowchart TD\n" + "".join(f"  {line}\n" for room in order for line in lines(arrows, room))


def lines(arrows: Arrows, room: str) -> Iterator[str]:
    further = {far for near in arrows[room] for far in reached(arrows, near)}
    nearest = sorted(arrows[room] - further)
    yield from (f"{room} --> {other}" for other in nearest)
    if not nearest and not any(room in others for others in arrows.values()):
        yield room


def page_as_it_ought_to_be() -> str:
    return PICTURE.sub(
        lambda found: found[1] + drawn(imports_between_rooms(found[2])) + found[4], PAGE.read_text(encoding="utf-8")
    )


PACKAGES = ("worker", "dispatcher.store", "dispatcher.api", "dispatcher.store.queue", "dispatcher.console")


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_between_rooms_run_one_way(package: str) -> None:
    try:
        TopologicalSorter(imports_between_rooms(package)).prepare()
    except CycleError as error:
        pytest.fail(f"rooms of {package} import each other in a circle: {' -> '.join(error.args[1])}")


def test_pictures_of_the_page_are_what_the_code_imports() -> None:
    assert [found[1] for found in PICTURE.findall(PAGE.read_text())] == list(PACKAGES)
    assert PAGE.read_text() == page_as_it_ought_to_be(), "run: make imports"


def test_arrow_is_left_out_only_where_others_lead_the_same_way() -> None:
    arrows = {"top": {"middle", "low"}, "middle": {"low"}, "low": set(), "alone": set()}
    assert set(drawn(arrows).splitlines()[1:]) == {"  top --> middle", "  middle --> low", "  alone"}


if __name__ == "__main__":
    PAGE.write_text(page_as_it_ought_to_be())
