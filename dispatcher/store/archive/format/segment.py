"""The format of a segment: zstd blocks of NDJSON, then a footer, then where that begins. Pure.

``magic | block … block | footer | length of the footer (8 bytes) | magic``. Every part has a hash: the footer's is in
the manifest, a block's is in the footer. What does not have it is told, and nothing of it is served.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import zstandard

from dispatcher.ids import event_ms
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Entry
from dispatcher.store.archive.format.footer import Block, Footer, footer_of

MAGIC = b"DSEG1\n"
LENGTH_BYTES = 8
END_BYTES = LENGTH_BYTES + len(MAGIC)
BLOCK_BYTES = 128 * 1024
"""Lines that are compressed together, before compression: what reading one event takes."""
LEVEL = 3


class Altered(ValueError):
    """Bytes that are not what was written."""


def build(events: Sequence[ArchivedEvent], replaces: str = "") -> tuple[bytes, Entry]:
    """A segment of some events, in the order of the log, and its entry.

    Raises what reading a record raises that is damaged.
    """
    content, blocks = bytearray(MAGIC), list[Block]()
    for count, lines in _in_blocks([event.line() for event in events]):
        packed = zstandard.compress(lines, LEVEL)
        blocks.append(Block(len(content), len(packed), count, digest_of(packed)))
        content += packed
    footer, at = footer_of(events, blocks, replaces), len(content)
    packed = zstandard.compress(footer.stored(), LEVEL)
    content += packed + len(packed).to_bytes(LENGTH_BYTES) + MAGIC
    return bytes(content), _entry(content, footer, at, packed)


def entry_of(content: bytes) -> Entry:
    """The entry of a segment that no manifest has. Raises ``Altered`` for what is no segment, or not a whole one."""
    length, end = content[-END_BYTES : -len(MAGIC)], len(content) - END_BYTES
    if not (content.startswith(MAGIC) and content.endswith(MAGIC)) or (at := end - int.from_bytes(length)) < len(MAGIC):
        raise Altered("it does not begin and end as a segment does")
    packed = content[at:end]
    try:
        footer = Footer.from_stored(_unpacked(packed, digest_of(packed)))
    except (zstandard.ZstdError, ValueError, LookupError, TypeError) as error:
        raise Altered("its footer cannot be read") from error
    if any(digest_of(content[one.at : one.at + one.size]) != one.digest for one in footer.blocks):
        raise Altered("a block has not the hash that its footer says")
    return _entry(content, footer, at, packed)


def _entry(content: bytes | bytearray, footer: Footer, at: int, packed: bytes) -> Entry:
    made = [event_ms(event_id) for event_id in footer.ids]
    return Entry(
        events=len(footer.ids),
        first=footer.position(0),
        last=footer.position(-1),
        made=(min(made), max(made)),
        until_ms=max(footer.expires_ms),
        size=len(content),
        digest=digest_of(content),
        footer_at=at,
        footer_digest=digest_of(packed),
        replaces=footer.replaces,
    )


def footer_span(entry: Entry) -> tuple[int, int]:
    """Offset and length of the footer."""
    return entry.footer_at, entry.size - entry.footer_at - END_BYTES


def unpack_footer(packed: bytes, entry: Entry) -> bytes:
    """The footer as JSON. Raises ``Altered``."""
    return _unpacked(packed, entry.footer_digest)


def read_footer(packed: bytes, entry: Entry) -> Footer:
    """Raises ``Altered``."""
    return Footer.from_stored(unpack_footer(packed, entry))


def read_block(packed: bytes, block: Block) -> list[bytes]:
    """Lines of its events. Raises ``Altered``."""
    return _unpacked(packed, block.digest).split(b"\n")[:-1]


def read_events(content: bytes, entry: Entry) -> list[ArchivedEvent]:
    """All events of a whole segment. Raises ``Altered``."""
    at, size = footer_span(entry)
    blocks = read_footer(content[at : at + size], entry).blocks
    lines = [line for one in blocks for line in read_block(content[one.at : one.at + one.size], one)]
    return [ArchivedEvent.from_line(line) for line in lines]


def digest_of(content: bytes | bytearray) -> str:
    return hashlib.sha256(content).hexdigest()


def _unpacked(packed: bytes, digest: str) -> bytes:
    if digest_of(packed) != digest:
        raise Altered("its hash is not the one that was written down")
    return zstandard.ZstdDecompressor().decompress(packed)


def _in_blocks(lines: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    some, size = list[bytes](), 0
    for line in lines:
        some.append(line)
        size += len(line)
        if size >= BLOCK_BYTES:
            yield len(some), b"".join(some)
            some, size = [], 0
    if some:
        yield len(some), b"".join(some)
