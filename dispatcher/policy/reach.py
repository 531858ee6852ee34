"""The part of the store's events and integrations that exists for a caller. Pure rules; whoever calls them reads.

A client of one account reaches this account's events; a client of one vendor those of its integrations. What is out of
reach is answered as if it had never been there.
"""

from __future__ import annotations

from dataclasses import replace

from dispatcher.model.access import Caller
from dispatcher.model.integration import Integration
from dispatcher.model.queue import EventFilter


def reaches_account(caller: Caller, account_id: str | None) -> bool:
    """True for a caller of that account, and for one of no account."""
    return caller.account_id in (None, account_id)


def reaches_integration(caller: Caller, integration: Integration | None) -> bool:
    """None = it was deleted: what is left of it exists for callers without a vendor only."""
    return caller.vendor_id is None or (integration is not None and caller.reaches(integration.vendor_id))


def narrowed(condition: EventFilter, caller: Caller) -> EventFilter | None:
    """The condition within the caller's account and vendor; None = nothing can meet both."""
    account_id = condition.account_id or caller.account_id
    if not reaches_account(caller, account_id):
        return None
    return replace(condition, account_id=account_id, vendor_id=caller.vendor_id or condition.vendor_id)


def within_lanes(condition: EventFilter, lanes: frozenset[str]) -> EventFilter | None:
    """The condition within these integrations; None = none of them meets it."""
    if not lanes or (condition.integration_id is not None and condition.integration_id not in lanes):
        return None
    return replace(condition, lanes=lanes)
