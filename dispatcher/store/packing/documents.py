"""Documents of events with their contents packed: creator and payload, which come last, and no script works with.

Plain: ``lane LF group LF {head,"c":…,"d":…}``. Packed: ``lane LF group LF {head} LF {``, the dictionary's number in a
byte, the size of the contents before in three, and a zstd frame of them. JSON has no LF of its own, so the third one
says which it is, and scripts find all that they look for in front of it. Both forms are read side by side.
"""

from __future__ import annotations

import threading

import zstandard

from dispatcher.store.packing.dictionaries import PACKING, dictionary, packing

LEAST_BYTES = 96
"""Contents below stay as they are, as do those that lose less than an eighth."""
MOST_BYTES = (1 << 24) - 1
_MARK = b"\n{"
_SIZE = slice(len(_MARK) + 1, len(_MARK) + 4)
_FRONT = len(_MARK) + 4


class _OfThread(threading.local):
    """Neither packs nor unpacks for two threads at once."""

    def __init__(self) -> None:
        known, how = packing()
        self.packer = zstandard.ZstdCompressor(dict_data=known, compression_params=how)
        self.unpackers: dict[int, zstandard.ZstdDecompressor] = {}

    def unpacker(self, number: int) -> zstandard.ZstdDecompressor:
        found = self.unpackers.get(number)
        if found is None:
            found = self.unpackers[number] = zstandard.ZstdDecompressor(dict_data=dictionary(number))
        return found


_mine = _OfThread()


def packed(document: bytes) -> bytes:
    """The document in fewer bytes, or itself."""
    start = _head_at(document)
    at = contents_at(document, start)
    size = len(document) - at
    if at < 0 or not LEAST_BYTES <= size <= MOST_BYTES:
        return document
    frame = _mine.packer.compress(document[at:])
    if _FRONT + len(frame) > size - size // 8:
        return document
    return b"".join((document[:at], b"}", _MARK, bytes((PACKING,)), size.to_bytes(3), frame))


def unpacked(document: bytes) -> bytes:
    """The document as it was before. Raises ``ValueError`` for one that is cut, or a newer version's."""
    front, contents = parted(document)
    return front[:-1] + plain_contents(contents) if contents else document


def parted(document: bytes) -> tuple[bytes, bytes]:
    """A document without its contents, and these as they are packed; a plain one is left whole."""
    at = packed_at(document)
    return (document, b"") if at < 0 else (document[:at], document[at:])


def plain_contents(contents: bytes) -> bytes:
    """The end of a document from its packed contents. Raises ``ValueError`` as ``unpacked`` does."""
    if len(contents) < _FRONT:
        raise ValueError("the contents of an event are cut")
    size = int.from_bytes(contents[_SIZE])
    try:
        plain = _mine.unpacker(contents[len(_MARK)]).decompress(contents[_FRONT:], max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError(f"the contents of an event cannot be unpacked: {error}") from error
    if len(plain) != size:
        raise ValueError("the contents of an event are not as long as they were")
    return plain


def packed_at(document: bytes) -> int:
    """Place of the packed contents; -1 of a plain document."""
    return document.find(b"\n", _head_at(document))


def size_of(document: bytes) -> int:
    """Bytes of the document before it was packed: what reading it takes room for."""
    at = packed_at(document)
    if at < 0:
        return len(document)
    return at - 1 + int.from_bytes(document[at : at + _FRONT][_SIZE])


def contents_at(document: bytes, start: int) -> int:
    """Place of creator and payload in a plain document, from the head on; -1 = it has none.

    A quote within a string has a backslash before it, so neither name is found in one.
    """
    payload = document.find(b',"d":', start)
    creator = document.find(b',"c":', start, payload if payload >= 0 else len(document))
    return creator if creator >= 0 else payload


def _head_at(document: bytes) -> int:
    return document.find(b"\n", document.find(b"\n") + 1) + 1
