"""The condition under which a record may be changed: that it is still as its editor read it."""

from __future__ import annotations

from collections.abc import Callable

Precondition = Callable[[object], bool]
"""Tag, or time of the last change, of the record that is about to be replaced → whether the change is meant for it."""

NO_RECORD = ""
"""The tag of what is not there yet."""
