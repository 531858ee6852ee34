"""The page of a release on a package index: its README, whose links lead to the source, and the project's addresses.

Runs within hatchling, at every build. Where the source is comes from ``PROJECT_URL``, since a fork has an address of
its own; a wheel that is made of a source archive takes what the archive was built with. Without an address, links to
files of the project become plain words: an index has nothing that they could lead to.
"""

from __future__ import annotations

import os
import re
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

VARIABLE = "PROJECT_URL"
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)([^)\s]+)\)")


class IndexPage(MetadataHookInterface):
    """Fills in ``readme`` and ``urls``, which ``pyproject.toml`` declares as dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        root = Path(self.root)
        address = os.environ.get(VARIABLE, "").rstrip("/") or _of_archive(root)
        text = (root / "README.md").read_text(encoding="utf-8")
        source = f"{address}/blob/v{metadata['version']}" if address else ""
        metadata["readme"] = {"content-type": "text/markdown", "text": index_text(text, source)}
        metadata["urls"] = addresses(address, source)


def index_text(text: str, source: str) -> str:
    """``text`` with absolute links to ``source``, or without links to files where that is empty."""
    return _LINK.sub(rf"[\1]({source}/\2)" if source else r"\1", text)


def addresses(address: str, source: str) -> dict[str, str]:
    """Each under a label that package indexes know."""
    if not address:
        return {}
    return {
        "Source": address,
        "Documentation": f"{source}/docs/README.md",
        "Changelog": f"{source}/CHANGELOG.md",
        "Issues": f"{address}/issues",
    }


def _of_archive(root: Path) -> str:
    """The address in the metadata of a source archive, else an empty text."""
    file = root / "PKG-INFO"
    if not file.exists():
        return ""
    found = HeaderParser().parsestr(file.read_text(encoding="utf-8")).get_all("Project-URL", [])
    labelled = dict(entry.split(", ", 1) for entry in found)
    return labelled.get("Source", "")
