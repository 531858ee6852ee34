"""The address of object storage is read strictly, and nothing secret fits into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.cli.beginning import load_settings
from dispatcher.errors import ConfigurationError
from dispatcher.policy.bucket import Bucket, read_bucket

URL = "s3://history/main"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://history", ("history", "")),
        ("s3://history/", ("history", "")),
        ("s3://my.bucket-1/a/b_c", ("my.bucket-1", "a/b_c")),
        ("s3://history/main/", ("history", "main")),
    ],
)
def test_a_bucket_and_its_prefix_are_read(url: str, expected: tuple[str, str]) -> None:
    assert read_bucket(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("history", "s3://", "s3://a", "http://history", "s3://history/a//b", "s3://history/../x", "s3://history/a b"),
        *("s3://key:secret@history", "s3://history?x=1", "s3://history/x#y", "s3:///x", "s3://history/ä"),
    ],
)
def test_what_names_no_bucket_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DISPATCHER_ARCHIVE_URL") as caught:
        load_settings(archive_url=url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    ["minio:9000", "ftp://x", "http://u:secret@minio", "http://minio/x", "http://", "http://a:99999", "http://[1:2]"],
)
def test_an_endpoint_is_an_address_alone(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match="DISPATCHER_ARCHIVE_ENDPOINT") as caught:
        load_settings(archive_url=URL, archive_endpoint=endpoint)
    assert "secret" not in str(caught.value)


def test_history_is_in_one_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="in one place"):
        load_settings(archive_url=URL, archive_dir=tmp_path)
    given = load_settings(archive_url=URL, archive_endpoint="http://[::1]:9000", archive_region="eu-west-1")
    assert given.archive_place == Bucket("history", "main", "http://[::1]:9000", "eu-west-1")
    assert given.archive_place.label == "s3://history/main at http://[::1]:9000"
