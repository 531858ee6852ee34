"""Customers' accounts and the people who sign in to them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class UserRole(StrEnum):
    """A member uses what is installed; an owner also installs and uninstalls."""

    OWNER = "OWNER"
    MEMBER = "MEMBER"


@dataclass(frozen=True, slots=True)
class Account:
    """``id`` is opaque, 1 to 128 characters that a scope may hold (RFC 6749 §3.3); the ``accountId`` of events."""

    id: str
    name: str
    created_ms: int
    marketplace_id: int
    """Marketplace that it was made in: who is bound to that reaches it."""
    session_epoch: int = 0
    """Sessions and unopened links of an earlier one have ended."""
    last_marketplace_id: int | None = None
    """The marketplace that it was last shown: a launch that names none goes there."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who signs in. ``username`` is unique, whatever its case, within the marketplaces of one binding."""

    id: str
    username: str
    account_id: str
    created_ms: int
    marketplace_id: int
    password_hash: str
    """scrypt (RFC 7914): ``scrypt$n$r$p$salt$hash``, base64."""
    role: UserRole = UserRole.OWNER
