"""History of an embedded server lies beside its data; that of a Redis elsewhere only where somebody says so."""

from __future__ import annotations

from pathlib import Path

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.processes.startup import with_archive
from dispatcher.policy.bucket import Bucket


def test_an_embedded_server_has_its_archive_beside_its_data(tmp_path: Path) -> None:
    assert with_archive(load_settings(data_dir=tmp_path)).archive_dir == tmp_path / "archive"


def test_a_folder_that_is_set_is_taken(tmp_path: Path) -> None:
    assert with_archive(load_settings(archive_dir=tmp_path)).archive_dir == tmp_path


def test_a_redis_elsewhere_has_none_unless_it_is_set() -> None:
    assert with_archive(load_settings(redis_url="redis://127.0.0.1/0")).archive_dir is None


def test_an_embedded_server_may_have_its_archive_in_a_bucket(tmp_path: Path) -> None:
    settings = with_archive(load_settings(data_dir=tmp_path, archive_url="s3://history/main"))
    assert (settings.archive_dir, settings.archive_place) == (None, Bucket("history", "main"))
