"""Storage of segments, as the archive needs it: whole objects that never change. All calls block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

Span = tuple[int, int]
"""First byte, and number of bytes."""
ASK_THE_DOCTOR = "see `dispatcher doctor`"
"""The remedy of a storage that the doctor examines better than its user can; the doctor itself leaves it out."""


@dataclass(frozen=True, slots=True)
class Words:
    """A storage, in the words of whoever runs it."""

    label: str
    """The place."""
    setting: str
    """The setting that names it."""
    doubt: str
    """The question to ask when it lacks what it should have."""
    remedy: str
    """The advice for when it does not do what it should."""


class Storage(Protocol):
    """Every method raises ``OSError`` when the storage is away, or does not do it."""

    @property
    def words(self) -> Words:
        """The words for people."""

    def identity(self) -> str | None:
        """The id that this storage was given; None = none yet."""

    def identify(self, identity: str) -> None:
        """Give an id to a storage that has none."""

    def write(self, key: str, content: bytes) -> None:
        """Keep it, whole and for good by the time this returns; a second time changes nothing."""

    def read(self, key: str, at: int, size: int) -> bytes:
        """Fewer bytes where there are no more. Raises ``FileNotFoundError``."""

    def read_each(self, spans: Mapping[str, Span]) -> Mapping[str, bytes]:
        """Of several keys at a time, where that is quicker than one after the other; what fails is left out."""

    def ages_s(self, partition: int, now_s: float) -> dict[str, float]:
        """Everything there is of a partition by its name, finished or not, and how long ago it was written."""

    def delete(self, key: str) -> None:
        """For good by the time this returns; what is not there is no error."""

    def rehearse(self) -> None:
        """Write, read and delete something small. Begins no history, and leaves nothing that was not there."""
