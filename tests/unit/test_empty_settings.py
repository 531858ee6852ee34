"""A variable that is set to nothing, as Compose files and env files do, counts as not set."""

from __future__ import annotations

import pytest

from dispatcher.cli.beginning import load_settings
from dispatcher.settings import Settings


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_an_empty_variable_is_an_unset_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in Settings.model_fields:
        monkeypatch.delenv(f"DISPATCHER_{other.upper()}", raising=False)
    unset = load_settings()
    monkeypatch.setenv(f"DISPATCHER_{name.upper()}", "")
    assert load_settings() == unset
