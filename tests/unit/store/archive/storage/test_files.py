"""A file of the archive is whole and on the disk, or is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dispatcher.errors import ArchiveUnavailable, StoreDamaged
from dispatcher.store.archive.format.entry import Segment, new_name
from dispatcher.store.archive.format.segment import build
from dispatcher.store.archive.reading.reader import SegmentGone, SegmentReader
from dispatcher.store.archive.storage.files import FileStorage
from tests.unit.store.archive.samples import archived

EVENTS = [archived(number) for number in range(5)]


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    made = FileStorage(tmp_path / "archive")
    made.identify("one")
    return made


def written(storage: FileStorage) -> Segment:
    content, entry = build(EVENTS)
    segment = Segment(3, new_name(entry), entry)
    storage.write(segment.key, content)
    return segment


def test_a_segment_is_read_by_its_parts(storage: FileStorage) -> None:
    segment, reader = written(storage), SegmentReader(storage)
    assert reader.event(segment, EVENTS[3].id) == EVENTS[3]
    assert reader.event(segment, archived(99).id) is None
    assert reader.events(segment) == EVENTS
    assert list(storage.ages_s(3, 0.0)) == [segment.name]


def test_a_footer_that_names_none_of_what_is_looked_for_is_not_read(storage: FileStorage) -> None:
    segment, reader = written(storage), SegmentReader(storage)
    assert reader.footer_naming(segment, [b'"another"', b'"ac"']) is None
    assert reader.footer_naming(segment, [b'"another"', b'"acc"']) == reader.footer_naming(segment, [])


def test_a_storage_keeps_the_id_that_it_was_given(storage: FileStorage, tmp_path: Path) -> None:
    assert storage.identity() == "one"
    assert FileStorage(tmp_path / "elsewhere").identity() is None


def test_a_disk_that_is_full_leaves_nothing(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content, entry = build(EVENTS)
    segment = Segment(3, new_name(entry), entry)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (tmp_path / "archive" / "3").mkdir()
    with pytest.raises(OSError, match="No space left"):
        storage.write(segment.key, content)
    assert storage.ages_s(3, 0.0) == {}


@pytest.mark.parametrize("kept", [0, 10, -1])
def test_a_cut_segment_is_told_and_never_served(storage: FileStorage, tmp_path: Path, kept: int) -> None:
    segment = written(storage)
    path = tmp_path / "archive" / segment.key
    path.write_bytes(path.read_bytes()[:kept] if kept >= 0 else path.read_bytes() + b"x")
    reader = SegmentReader(storage)
    with pytest.raises(StoreDamaged, match="cut or altered"):
        reader.events(segment)
    if kept >= 0:
        with pytest.raises(StoreDamaged, match="cut or altered"):
            SegmentReader(storage).event(segment, EVENTS[0].id)


def test_what_is_not_there_is_gone_and_a_storage_that_does_not_answer_is_away(storage: FileStorage) -> None:
    segment = written(storage)
    storage.delete(segment.key)
    storage.delete(segment.key)
    with pytest.raises(SegmentGone):
        SegmentReader(storage).event(segment, EVENTS[0].id)
    written(storage)

    class Away(FileStorage):
        def read(self, key: str, at: int, size: int) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(ArchiveUnavailable, match="Input/output error"):
        SegmentReader(Away(Path(storage.words.label))).check(segment)
