"""Reach of a caller, as pure rules."""

from __future__ import annotations

from dispatcher.model.access import Caller
from dispatcher.model.integration import Integration, Revision
from dispatcher.model.queue import EventFilter
from dispatcher.policy.reach import narrowed, reaches_account, reaches_integration, within_lanes

ANYBODY = Caller("ops", frozenset())
OF_ACCOUNT = Caller("shop", frozenset(), account_id="A-1")
OF_VENDOR = Caller("vendor", frozenset(), vendor_id="V-1")


def _integration(vendor_id: str | None) -> Integration:
    return Integration("i", 1, "", "Name", 0, 0, working=Revision(number=0), vendor_id=vendor_id)


def test_a_client_of_one_account_reaches_this_account_only() -> None:
    assert reaches_account(OF_ACCOUNT, "A-1")
    assert not reaches_account(OF_ACCOUNT, "A-2")
    assert not reaches_account(OF_ACCOUNT, None)
    assert reaches_account(ANYBODY, "A-2")


def test_what_is_left_of_a_deleted_integration_exists_for_callers_without_a_vendor() -> None:
    assert reaches_integration(ANYBODY, None)
    assert not reaches_integration(OF_VENDOR, None)


def test_a_client_of_one_vendor_reaches_its_integrations_only() -> None:
    assert reaches_integration(OF_VENDOR, _integration("V-1"))
    assert not reaches_integration(OF_VENDOR, _integration("V-2"))
    assert not reaches_integration(OF_VENDOR, _integration(None))


def test_a_condition_is_narrowed_to_the_callers_account_and_vendor() -> None:
    assert narrowed(EventFilter(), ANYBODY) == EventFilter()
    assert narrowed(EventFilter(account_id="A-9"), ANYBODY) == EventFilter(account_id="A-9")
    assert narrowed(EventFilter(), OF_ACCOUNT) == EventFilter(account_id="A-1")
    assert narrowed(EventFilter(account_id="A-2"), OF_ACCOUNT) is None
    assert narrowed(EventFilter(), OF_VENDOR) == EventFilter(vendor_id="V-1")


def test_a_condition_that_no_integration_meets_is_nothing() -> None:
    lanes = frozenset({"i-1", "i-2"})
    assert within_lanes(EventFilter(), lanes) == EventFilter(lanes=lanes)
    assert within_lanes(EventFilter(integration_id="i-2"), lanes) == EventFilter(integration_id="i-2", lanes=lanes)
    assert within_lanes(EventFilter(integration_id="i-3"), lanes) is None
    assert within_lanes(EventFilter(), frozenset()) is None
