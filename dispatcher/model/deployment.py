"""A connector as the host application that deploys it for its user describes it."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.connector import ConnectorAuth

MASK = "******"
"""Stands for an AuthValue that may not be read. Sent back: the value stays."""


@dataclass(frozen=True, slots=True)
class ConnectorAsked:
    """``auth_value`` and ``properties`` None = not mentioned: what is there stays; empty = taken away."""

    name: str
    version: str | None = None
    auth_value: str | None = None
    auth_type: ConnectorAuth | None = None
    properties: tuple[tuple[str, str], ...] | None = None
    description: str | None = None
