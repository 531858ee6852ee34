"""Dictionaries that contents are packed with, by the number that stands in front of what each packed.

What a file here packed may be in a store for as long as events are kept, so none is ever changed or removed: a better
one gets the next number, and packs once the version that brought it is everywhere.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import zstandard

PACKING = 1
"""The one that packs; all read."""
LEVEL = 3
_TABLE_LOG = 12
"""Of the indexes of the dictionary and of what is packed: 16 KB each, so that they stay in a processor's caches.

Those of the level itself, 128 and 256 KB, save a hundredth of the bytes at twice the time between other work.
"""
_TYPICAL_BYTES = 1 << 14


@cache
def dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """Raises ``ValueError`` for one that only a newer version has."""
    file = files("dispatcher.store.packing").joinpath(f"{number}.zdict")
    if not file.is_file():
        raise ValueError(f"packed with dictionary {number}, which this version has not: a newer one wrote it")
    return zstandard.ZstdCompressionDict(file.read_bytes())


@cache
def packing() -> tuple[zstandard.ZstdCompressionDict, zstandard.ZstdCompressionParameters]:
    """The dictionary that packs and how. Digested once, since each use would do that anew."""
    known = dictionary(PACKING)
    how = zstandard.ZstdCompressionParameters.from_level(
        LEVEL,
        source_size=_TYPICAL_BYTES,
        dict_size=len(known.as_bytes()),
        hash_log=_TABLE_LOG,
        chain_log=_TABLE_LOG,
        write_content_size=False,
        write_checksum=False,
        write_dict_id=False,
    )
    known.precompute_compress(compression_params=how)
    return known, how
