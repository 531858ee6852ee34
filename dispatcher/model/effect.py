"""Effects of an installation's transition on the queue: an event to accept, or a lock to set or lift."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.event import Event


@dataclass(frozen=True, slots=True)
class LockChange:
    """The events of one account in one integration are held while anybody holds the lock."""

    integration_id: str
    account_id: str
    holder: str
    """Name of whoever asks, as in ``update:INSTALLATION``; asking twice counts once."""
    number: int
    """Of one holder, the highest number is the word that counts."""
    locked: bool


Effect = Event | LockChange


def update_holder(installation_id: str) -> str:
    """Holds the lock while a managed update of the installation is in progress."""
    return f"update:{installation_id}"


def credentials_holder(connector_id: int) -> str:
    """Holds the lock while the product host refuses the connector's AuthValue."""
    return f"credentials:{connector_id}"


def is_update(holder: str) -> bool:
    return holder.startswith("update:")
