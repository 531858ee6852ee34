"""The storage at a place: a folder, or a bucket of object storage, which the extra ``s3`` speaks to."""

from __future__ import annotations

from pathlib import Path

from dispatcher.errors import ConfigurationError
from dispatcher.policy.bucket import Bucket
from dispatcher.store.archive.storage.files import FileStorage
from dispatcher.store.archive.storage.interface import Storage

_MISSING = (
    "DISPATCHER_ARCHIVE_URL is set, and the extra that speaks to object storage is not installed: "
    "pip install 'marketplace-dispatcher[s3]', or unset it"
)


def storage_at(place: Path | Bucket) -> Storage:
    """Contacts nobody. Raises ``ConfigurationError`` where the extra is missing."""
    if isinstance(place, Path):
        return FileStorage(place)
    try:
        from dispatcher.store.archive.storage.objects import ObjectStorage
    except ImportError:
        raise ConfigurationError(_MISSING) from None
    return ObjectStorage(place)
