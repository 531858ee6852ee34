"""Storage of segments, as the archive needs it: whole objects that never change. All calls block."""

from __future__ import annotations

from typing import Protocol


class Storage(Protocol):
    """Every method raises ``OSError`` when the storage is away, or does not do it."""

    @property
    def label(self) -> str:
        """The place, as people know it."""

    def identity(self) -> str | None:
        """The id that this storage was given; None = none yet."""

    def identify(self, identity: str) -> None:
        """Give an id to a storage that has none."""

    def write(self, key: str, content: bytes) -> None:
        """Keep it, whole and for good by the time this returns; a second time changes nothing."""

    def read(self, key: str, at: int, size: int) -> bytes:
        """Fewer bytes where there are no more. Raises ``FileNotFoundError``."""

    def ages_s(self, partition: int, now_s: float) -> dict[str, float]:
        """Everything there is of a partition by its name, finished or not, and how long ago it was written."""

    def delete(self, key: str) -> None:
        """For good by the time this returns; what is not there is no error."""
