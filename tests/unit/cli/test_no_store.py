"""Verbs that are about what a store holds say so when there is none, and make none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.cli.main import main
from dispatcher.cli.startup import load_settings, open_store
from dispatcher.store.secrets.sealing import new_key
from tests.unit.cli.cli_folder import folder

__all__ = ["folder"]

LOOKING = ("audit", "audit --json", "audit-log", "audit-log --verify", "clients list", "secrets reseal --dry-run")
CHANGING = ("clients disable nobody", "secrets reseal")


def ran(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


async def _make(*, claim: bool) -> None:
    async with open_store(load_settings(), client_name="test", claim=claim):
        pass


@pytest.mark.parametrize("line", [*LOOKING, *CHANGING])
def test_a_folder_without_a_store_is_an_error_of_configuration_and_stays_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.setenv("DISPATCHER_SECRET_KEYS", new_key())
    assert ran(*line.split()) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert all(text in shown.err for text in (str(folder), "DISPATCHER_REDIS_URL", "DISPATCHER_DATA_DIR"))
    assert not folder.exists()


def test_audit_names_the_folder_of_its_option_and_makes_nothing_in_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", "redis://127.0.0.1:1")
    (tmp_path / "empty").mkdir()
    for name in ("nowhere", "empty"):
        assert ran("audit", "--data-dir", str(tmp_path / name)) == 2
        shown = capsys.readouterr().err
        assert (str(tmp_path / name) in shown, "--data-dir" in shown) == (True, True)
    assert [path.name for path in tmp_path.rglob("*")] == ["empty"]


def test_audit_of_an_embedded_store_counts_once_a_dispatcher_has_started_with_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_make(claim=False))
    assert ran("audit") == 2
    assert str(folder) in capsys.readouterr().err
    asyncio.run(_make(claim=True))
    assert ran("audit") == 0
    assert "0 accepted" in capsys.readouterr().out


def test_audit_of_a_redis_that_no_dispatcher_uses_proves_nothing(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    assert ran("audit") == 2
    assert "DISPATCHER_REDIS_URL" in capsys.readouterr().err
