"""A release as a package index shows it: links that lead somewhere, addresses, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

from hatch_build import VARIABLE, IndexPage, index_text

ROOT = Path(__file__).parents[2]
ADDRESS = "https://code.example.com/acme/dispatcher"
TEXT = "[a](docs/a.md#b), [b](#why), [c](https://example.org), ![d](d.png)"


def built(monkeypatch: pytest.MonkeyPatch, address: str) -> ProjectMetadata[Any]:
    monkeypatch.setenv(VARIABLE, address)
    return ProjectMetadata(str(ROOT), PluginManager())


def test_links_of_the_readme_lead_to_the_source_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    core = built(monkeypatch, f"{ADDRESS}/").core
    source = f"{ADDRESS}/blob/v{core.version}/"
    links = re.findall(r"\]\(([^)]+)\)", core.readme)
    assert [link for link in links if not re.match(r"https://|#", link)] == []
    paths = {link.removeprefix(source).partition("#")[0] for link in links if link.startswith(source)}
    assert {"docs/api.md", "examples/product_host.py"} <= paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert core.readme_content_type == "text/markdown"


def test_addresses_have_labels_that_indexes_know(monkeypatch: pytest.MonkeyPatch) -> None:
    core = built(monkeypatch, ADDRESS).core
    assert core.urls.keys() == {"Source", "Documentation", "Changelog", "Issues"}
    assert core.urls["Changelog"] == f"{ADDRESS}/blob/v{core.version}/CHANGELOG.md"


def test_without_an_address_no_link_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    core = built(monkeypatch, "").core
    assert core.urls == {}
    assert re.findall(r"\]\((?!https://|#)[^)]+\)", core.readme) == []
    assert "What a host must check and answer: docs/signatures.md" in core.readme


def test_only_links_to_files_change() -> None:
    assert index_text(TEXT, "https://s") == TEXT.replace("docs/a.md#b", "https://s/docs/a.md#b")
    assert index_text(TEXT, "") == TEXT.replace("[a](docs/a.md#b)", "a")


def test_a_source_archive_keeps_the_address_that_it_was_built_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "README.md").write_text(TEXT)
    (tmp_path / "PKG-INFO").write_text(f"Name: x\nProject-URL: Source, {ADDRESS}\n\nProject-URL: Source, elsewhere\n")
    metadata = {"version": "1.0.0"}
    IndexPage(str(tmp_path), {}).update(metadata)
    assert f"[a]({ADDRESS}/blob/v1.0.0/docs/a.md#b)" in str(metadata["readme"])
