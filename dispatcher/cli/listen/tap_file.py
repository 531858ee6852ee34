"""Notes of a tap in the data folder: its id, its secret and its place in the stream. Mode 600; of no other program."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from dispatcher.data_folder import private_folder, write_private
from dispatcher.errors import ConfigurationError
from dispatcher.policy.notification.signing import generate_secret, parse_secret

FOLDER = "listen"


@dataclass(slots=True)
class TapNote:
    """``position``: of the last change that was dealt with, empty = it begins now."""

    tap_id: str
    secret: str
    position: str = ""


class TapFile:
    """``name``: of what is tapped; the same one gets the same tap again."""

    def __init__(self, data_dir: Path, name: str) -> None:
        self._path = private_folder(data_dir / FOLDER) / f"{name}.json"

    def read(self, secret: str | None = None) -> TapNote:
        """The tap that was kept, else a new one. ``secret`` takes the place of its own."""
        note = self._kept() or TapNote(f"tap_{uuid.uuid4().hex[:12]}", generate_secret())
        if secret is not None:
            parse_secret(secret)
            note.secret = secret
        self.write(note)
        return note

    def write(self, note: TapNote) -> None:
        write_private(self._path, orjson.dumps(asdict(note)).decode())

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)

    def _kept(self) -> TapNote | None:
        if not self._path.exists():
            return None
        try:
            return TapNote(**orjson.loads(self._path.read_bytes()))
        except (orjson.JSONDecodeError, TypeError):
            raise ConfigurationError(f"{self._path} cannot be read: delete it, and a new tap is made") from None
