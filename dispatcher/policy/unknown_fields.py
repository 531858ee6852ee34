"""Words for a field that there is not, with the name that was probably meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from dispatcher.errors import Problem

_LONGEST = 64
"""No longer name is compared: it was not mistyped, and comparing costs with its length."""
_ALIKE = 0.7
_NO_SUCH = "There is no such field"


def unknown_field(field: str, name: str, known: Iterable[str]) -> Problem:
    """``field`` is the whole path that ends in ``name``; ``known``: names of the fields that there are instead."""
    near = near_name(name, known)
    hint = f"did you mean {near}?" if near else "check its name or leave it out."
    return Problem("unknown_field", f"{_NO_SUCH}; {hint}", field)


def near_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like ``name``, in any case of letters; None where none is like it."""
    if len(name) > _LONGEST:
        return None
    by_letters = {one.lower(): one for one in known}
    near = get_close_matches(name.lower(), by_letters, n=1, cutoff=_ALIKE)
    return by_letters[near[0]] if near else None
