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


@cache
def dictionary(number: int) -> zstandard.ZstdCompressionDict:
    """Raises ``ValueError`` for one that only a newer version has."""
    file = files("dispatcher.store.packing").joinpath(f"{number}.zdict")
    if not file.is_file():
        raise ValueError(f"packed with dictionary {number}, which this version has not: a newer one wrote it")
    return zstandard.ZstdCompressionDict(file.read_bytes())


@cache
def packing_dictionary() -> zstandard.ZstdCompressionDict:
    """Digested once, since each use would do that anew."""
    known = dictionary(PACKING)
    known.precompute_compress(level=LEVEL)
    return known
