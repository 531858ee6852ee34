"""A file of output that is there whole or not at all; ``-`` is standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from dispatcher.errors import ConfigurationError


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Takes the place of what was there once all is written. Raises ConfigurationError where it cannot be made."""
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.flush()
        return
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as output:
            yield cast("BinaryIO", output)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
