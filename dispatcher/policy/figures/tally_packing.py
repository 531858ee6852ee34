"""Packs figures into at most 64 bytes, so that Redis keeps a hash of them in one piece. Pure; no I/O.

Counts are exact, as numbers of 7 bits a byte. Of a histogram a mask tells which buckets are not empty, and each of
those is one byte: exact up to 15, then within 1/16 of what was counted. A sum is two bytes, in milliseconds, rounded up
by at most 1/1024; where very much was counted both are left out, as they bound nothing there. ``accepted`` is left out:
nobody counts that for one integration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispatcher.policy.figures.tally import BUCKETS, COUNTS, MEASURES, SUMS, WIDTH, Figures, no_figures

MOST_BYTES = 64
_SUMS_WITHIN = 60
"""Bytes with the sums: a busy integration takes no more than it did without them."""
_MOST_COUNT = (1 << 35) - 1
"""Five bytes of 7 bits: 1,000 attempts a second for a year."""
_SUM_BITS = 11
"""Of a sum's two bytes; the other five say how often to double."""
_FIRST = 1
"""Behind ``accepted``."""
_COUNTS = len(COUNTS)


def pack(span: int, figures: Sequence[int]) -> bytes:
    """``span``: number of the round of the ring that this belongs to, at most two bytes' worth."""
    packed = bytearray(_number(span))
    for n in figures[_FIRST:_COUNTS]:
        packed += _number(min(n, _MOST_COUNT))
    for i in range(len(MEASURES)):
        buckets = figures[_COUNTS + i * BUCKETS : _COUNTS + (i + 1) * BUCKETS]
        filled = [(place, n) for place, n in enumerate(buckets) if n]
        packed += sum(1 << place for place, _ in filled).to_bytes(2, "big")
        packed += bytes(_small(n) for _, n in filled)
    sums = b"".join(_short(-(-us // 1000)).to_bytes(2, "big") for us in figures[SUMS:WIDTH])
    return bytes(packed + sums if len(packed) + len(sums) <= _SUMS_WITHIN else packed)


def unpack(packed: bytes) -> tuple[int, Figures] | None:
    """Span and figures; None for what this cannot have written."""
    rest, figures = iter(packed), no_figures()
    try:
        span = _read_number(rest)
        for i in range(_FIRST, _COUNTS):
            figures[i] = _read_number(rest)
        for i in range(len(MEASURES)):
            mask = next(rest) << 8 | next(rest)
            for place in range(BUCKETS):
                if mask >> place & 1:
                    figures[_COUNTS + i * BUCKETS + place] = _large(next(rest))
    except StopIteration:
        return None
    sums = bytes(rest)
    if len(sums) not in (0, 2 * len(MEASURES)):
        return None
    for i in range(0, len(sums), 2):
        figures[SUMS + i // 2] = _long(int.from_bytes(sums[i : i + 2], "big")) * 1000
    return span, figures


def _number(n: int) -> bytes:
    packed = bytearray()
    while n > 0x7F:
        packed.append(n & 0x7F | 0x80)
        n >>= 7
    packed.append(n)
    return bytes(packed)


def _read_number(rest: Iterator[int]) -> int:
    value = shift = 0
    while True:
        byte = next(rest)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7


def _small(n: int) -> int:
    """One byte: five bits say how often to double, three what: up to 15 that is the number itself."""
    doubled = max(0, n.bit_length() - 4)
    mantissa = (n + (1 << doubled >> 1)) >> doubled  # to the nearest
    if mantissa == 16:
        mantissa, doubled = 8, doubled + 1
    if not doubled:
        return mantissa
    return min(16 + (doubled - 1) * 8 + mantissa - 8, 255)


def _large(byte: int) -> int:
    if byte < 16:
        return byte
    doubled, eighths = divmod(byte - 16, 8)
    return (8 + eighths) << (doubled + 1)


def _short(n: int) -> int:
    """Two bytes: five bits say how often to double, eleven what, rounded up."""
    doubled = max(0, n.bit_length() - _SUM_BITS)
    mantissa = -(-n >> doubled)
    if mantissa >> _SUM_BITS:
        mantissa, doubled = mantissa >> 1, doubled + 1
    return min(doubled << _SUM_BITS | mantissa, 0xFFFF)


def _long(short: int) -> int:
    return (short & (1 << _SUM_BITS) - 1) << (short >> _SUM_BITS)
