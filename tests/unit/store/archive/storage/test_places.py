"""History is in a folder or in a bucket; what speaks to a bucket is needed only there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.policy.bucket import Bucket
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.archive.storage.places import storage_at


def test_a_bucket_without_the_extra_stops_the_start_and_a_folder_needs_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "dispatcher.store.archive.storage.objects", raising=False)
    with pytest.raises(ConfigurationError, match=r"pip install 'marketplace-dispatcher\[s3\]'"):
        storage_at(Bucket("history"))
    assert isinstance(storage_at(tmp_path), FileStorage)
