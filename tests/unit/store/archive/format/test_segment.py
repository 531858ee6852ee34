"""A segment gives back what was put into it, byte for byte, and tells when it is not what was written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Entry, Segment, is_name, key_of, new_name
from dispatcher.store.archive.format.footer import Footer
from dispatcher.store.archive.format.segment import Altered, build, entry_of, footer_span, read_block, read_footer
from dispatcher.store.archive.reading.reader import SegmentReader
from dispatcher.store.archive.storage.files import FileStorage
from tests.unit.store.archive.samples import archived


def footer_in(content: bytes, entry: Entry) -> Footer:
    at, size = footer_span(entry)
    return read_footer(content[at : at + size], entry)


def test_every_event_comes_back_as_it_was() -> None:
    events = [archived(number, padding=5_000) for number in range(60)]
    content, entry = build(events)
    footer = footer_in(content, entry)
    lines = [read_block(content[block.at : block.at + block.size], block) for block in footer.blocks]
    blocks = [[ArchivedEvent.from_line(line) for line in some] for some in lines]
    assert len(blocks) > 1
    assert [event for block in blocks for event in block] == events
    for row, event in enumerate(events):
        number, within = footer.place(row)
        assert blocks[number][within] == event
        assert (footer.ids[row], footer.position(row)) == (event.id, event.position)
    assert footer.row_of[events[7].id] == 7


def test_the_footer_says_what_is_filtered_by() -> None:
    events = [archived(0, lane="a"), archived(1, account=None, lane="b"), archived(2, lane="a")]
    footer = footer_in(*build(events))
    assert [footer.text("lanes", row) for row in range(3)] == ["a", "b", "a"]
    assert [footer.text("accounts", row) for row in range(3)] == ["acc", "", "acc"]
    assert {footer.text("statuses", row) for row in range(3)} == {"SUCCEEDED"}
    assert footer.texts["types"] == ["SUBSCRIPTION_CHANGE"]


def test_an_entry_survives_the_manifest() -> None:
    _, entry = build([archived(0), archived(5)], replaces="0000018bcfe56800-x")
    assert Entry.from_stored(entry.stored()) == entry
    assert (entry.events, entry.made) == (2, (archived(0).position.ms, archived(5).position.ms))


def test_the_same_events_make_the_same_segment() -> None:
    first, again = (build([archived(0), archived(1)]) for _ in range(2))
    assert first == again
    names = {new_name(first[1]) for _ in range(2)}
    assert len(names) == 2
    assert all(map(is_name, names))


@pytest.mark.parametrize("name", ["../archive.id", "", "0000018bcfe5-0123456789abcdef.1", "a/b"])
def test_a_name_that_is_none_leads_nowhere(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a segment"):
        key_of(0, name)


def test_fields_that_are_no_text_are_refused() -> None:
    event = archived(0)
    event.fields["a2"] = b"\xff"
    with pytest.raises(ValueError, match="utf-8"):
        build([event])


@pytest.mark.parametrize("at", [0.0, 0.3, 0.6, 0.99])
def test_an_altered_byte_is_told_wherever_it_is(at: float) -> None:
    events = [archived(number, padding=40_000) for number in range(8)]
    content, entry = build(events)
    altered = bytearray(content)
    altered[int(at * len(content))] ^= 1
    reader = SegmentReader(_Held(bytes(altered)))
    with pytest.raises(Exception, match=r"segment .* is cut or altered"):
        reader.check(Segment(0, new_name(entry), entry))


def test_a_block_or_footer_with_another_hash_is_not_read() -> None:
    content, entry = build([archived(0)])
    block = footer_in(content, entry).blocks[0]
    with pytest.raises(Altered):
        read_block(content[block.at : block.at + block.size - 1], block)
    at, size = footer_span(entry)
    with pytest.raises(Altered):
        read_footer(content[at + 1 : at + size], entry)


def test_a_segment_says_by_itself_what_its_entry_is() -> None:
    content, entry = build([archived(number, padding=40_000) for number in range(8)], replaces="another")
    assert entry_of(content) == entry


@pytest.mark.parametrize("damage", [lambda c: c[:-1], lambda c: c[:9], lambda c: b"", lambda c: c[:60] + b"?" + c[61:]])
def test_what_is_no_whole_segment_has_no_entry(damage: Callable[[bytes], bytes]) -> None:
    content, _ = build([archived(0)])
    with pytest.raises(Altered):
        entry_of(damage(content))


class _Held(FileStorage):
    """One object in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @property
    def label(self) -> str:
        return "memory"

    def read(self, key: str, at: int, size: int) -> bytes:
        return self._content[at : at + size]
