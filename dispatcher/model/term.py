"""Terms of a filter of events: one field each, with its values. ``policy.event_filter`` reads and writes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Field(StrEnum):
    """The fields that a filter knows, by the names that people type."""

    STATUS = "status"
    TYPE = "type"
    PRODUCT = "product"
    ACCOUNT = "account"
    INTEGRATION = "integration"
    ID = "id"
    ERROR = "error"
    OUTCOME = "outcome"
    HTTP = "http"
    REASON = "reason"
    HOST = "host"
    CLIENT = "client"
    KEY = "key"
    ATTEMPTS = "attempts"
    NEXT = "next"
    PAYLOAD = "payload"
    SINCE = "since"
    UNTIL = "until"
    ACCEPTED = "accepted"
    WORD = ""
    """A bare word: an event's id or its beginning, an account, a product, or an integration's name."""


class Bounds(NamedTuple):
    """Whole numbers from ``least``, included, to ``below``, not included; None = no bound."""

    least: int | None = None
    below: int | None = None

    def hold(self, number: int) -> bool:
        return (self.least is None or number >= self.least) and (self.below is None or number < self.below)


@dataclass(frozen=True, slots=True)
class Term:
    """Holds when any of its values, or of its bounds, does; ``negated``, when none does."""

    field: Field
    values: tuple[str, ...] = ()
    bounds: tuple[Bounds, ...] = ()
    negated: bool = False
    path: str = ""
    """Of PAYLOAD: dotted, a number within a list."""
    integrations: frozenset[str] = frozenset()
    """Of INTEGRATION and WORD: ids of the integrations that the values name, once they were looked up."""
