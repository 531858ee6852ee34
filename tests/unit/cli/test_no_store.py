"""Verbs that are about what a store holds say so when there is none, and make none."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.store.secrets.sealing import new_key
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]

LOOKING = ("audit", "audit --json", "audit-log", "audit-log --verify", "clients list", "secrets reseal --dry-run")
CHANGING = ("clients disable nobody", "secrets reseal")


@pytest.mark.parametrize("line", [*LOOKING, *CHANGING])
def test_a_folder_without_a_store_is_an_error_of_configuration_and_stays_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.setenv("DISPATCHER_SECRET_KEYS", new_key())
    ended = dispatcher(capsys, *line.split())
    assert (ended.status, ended.out) == (2, "")
    assert all(text in ended.err for text in (str(folder), "DISPATCHER_REDIS_URL", "DISPATCHER_DATA_DIR"))
    assert not folder.exists()


def test_audit_names_the_folder_of_its_option_and_makes_nothing_in_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", "redis://127.0.0.1:1")
    (tmp_path / "empty").mkdir()
    for name in ("nowhere", "empty"):
        ended = dispatcher(capsys, "audit", "--data-dir", str(tmp_path / name))
        assert ended.status == 2
        assert (str(tmp_path / name) in ended.err, "--data-dir" in ended.err) == (True, True)
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]
