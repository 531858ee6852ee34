"""Generated pages, each with what makes it. ``write`` puts them where they belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.docs.reference.event_types import event_types_page
from tests.docs.reference.graphql import graphql_page
from tests.docs.reference.rest import rest_page
from tests.docs.reference.settings import settings_page

DOCS = Path(__file__).parents[3] / "docs"
GENERATED: Mapping[str, Callable[[], str]] = {
    "configuration.md": settings_page,
    "reference/rest.md": rest_page,
    "reference/graphql.md": graphql_page,
    "reference/event-types.md": event_types_page,
}


def write() -> None:
    for name, page in GENERATED.items():
        (DOCS / name).write_text(page())
