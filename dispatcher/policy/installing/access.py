"""Reach of callers to installations, as owners or as users. Pure.

Owner is whoever publishes what is installed, and the product host with a one-time bearer. Everybody else who reaches an
installation is a user of it: an account, or a partner on its behalf.
"""

from __future__ import annotations

from enum import StrEnum

from dispatcher.model.access import Caller, Scope
from dispatcher.model.installation import Installation
from dispatcher.model.integration import Integration
from dispatcher.policy.reach import reaches_account, reaches_integration


class Writer(StrEnum):
    """As whom somebody changes an installation."""

    OWNER = "OWNER"
    USER = "USER"


def reaches_installation(caller: Caller, installation: Installation, integration: Integration | None) -> bool:
    """``integration``: the definition that it is an installation of; None = there is none here."""
    if caller.installation_id is not None:
        return caller.installation_id == installation.id
    if caller.account_id is not None and installation.apart:
        return False
    if not reaches_account(caller, installation.account_id) or not reaches_integration(caller, integration):
        return False
    return caller.marketplaces is None or caller.account_id is not None or _in_marketplaces(caller, installation)


def writer_of(caller: Caller) -> Writer:
    """Of somebody who reaches the installation."""
    if caller.installation_id is not None:
        return Writer.OWNER
    owner = caller.account_id is None and caller.may(Scope.INTEGRATIONS_WRITE)
    return Writer.OWNER if owner else Writer.USER


def _in_marketplaces(caller: Caller, installation: Installation) -> bool:
    return caller.marketplaces is not None and installation.marketplace_id in caller.marketplaces
