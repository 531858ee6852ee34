"""What pages link to outside docs/ becomes part of the site: the README, the changelog, programs to copy from.

Pages are written for the repository, where every link has to lead somewhere as well. On the site a file of the
repository stands below ``project/``: Markdown as it is, anything else as a page that shows its text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).parents[2]
_DOCS = PurePosixPath("docs")
_PROJECT = PurePosixPath("project")
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)\s#]+)")
_TAG = re.compile(r"(?<=^```)(\w+) [\w-]+$", re.MULTILINE)
"""A word behind the language of a block, which tells tests what to do with it."""
_LANGUAGES = {".py": "python", ".yml": "yaml", ".yaml": "yaml", ".sh": "sh"}


def on_files(files: Any, config: Any) -> Any:
    """Adds what pages link to, what that links to in turn, and so on."""
    from mkdocs.structure.files import File

    waiting = [_DOCS / file.src_uri for file in files.documentation_pages()]
    known = set(waiting)
    while waiting:
        for linked in _linked(waiting.pop()) - known:
            known.add(linked)
            waiting.append(linked)
            if not linked.is_relative_to(_DOCS):
                files.append(File.generated(config, str(_place(linked)), content=_page(linked)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turns links between files of the repository into links between pages of the site, and drops tags of blocks."""
    here = PurePosixPath(page.file.src_uri)
    source = _source(here)
    linked = _LINK.sub(lambda found: _relative(_place(_target(source, found[1])), here), markdown)
    return _TAG.sub(r"\1", linked)


def _linked(source: PurePosixPath) -> set[PurePosixPath]:
    """Files of the repository that a page names in its links; of a program none."""
    if source.suffix != ".md":
        return set()
    return {_target(source, target) for target in _LINK.findall((ROOT / source).read_text())}


def _target(source: PurePosixPath, link: str) -> PurePosixPath:
    return PurePosixPath(os.path.normpath(source.parent / link))


def _place(source: PurePosixPath) -> PurePosixPath:
    """The Markdown file of the site that shows a file of the repository."""
    if source.is_relative_to(_DOCS):
        return source.relative_to(_DOCS)
    return _PROJECT / (source if source.suffix == ".md" else source.with_name(f"{source.name}.md"))


def _source(place: PurePosixPath) -> PurePosixPath:
    """The inverse of ``_place`` for pages that have links."""
    return place.relative_to(_PROJECT) if place.is_relative_to(_PROJECT) else _DOCS / place


def _relative(target: PurePosixPath, here: PurePosixPath) -> str:
    return os.path.relpath(target, here.parent)


def _page(source: PurePosixPath) -> str:
    text = (ROOT / source).read_text()
    if source.suffix == ".md":
        return text
    return f'# {source.name}\n\n````{_LANGUAGES.get(source.suffix, "text")} title="{source}"\n{text}````\n'
