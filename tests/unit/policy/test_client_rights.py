"""Rights over API clients: whoever makes or changes one has all that it may do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.access import ADMIN_SCOPES, ApiClient, Caller, effective
from dispatcher.policy.client_rights import excess

ALL = effective(frozenset(ADMIN_SCOPES))
CLIENT = ApiClient("c", "", frozenset({"events:read"}), 0)
CALLER = Caller("me", ALL)


def lacking(caller: Caller, client: ApiClient, default_rate: float = 0.0) -> list[str | None]:
    return [problem.field for problem in excess(caller, client, default_rate)]


def test_a_client_without_bounds_and_with_every_scope_may_give_anything() -> None:
    for rate in (None, 0.0, 5.0):
        assert lacking(CALLER, replace(CLIENT, scopes=frozenset(ADMIN_SCOPES), rate_per_s=rate)) == []
    assert lacking(CALLER, replace(CLIENT, account_id="A", vendor_id="V", marketplaces=(1,))) == []


@pytest.mark.parametrize(
    ("caller", "client", "field"),
    [
        ({"scopes": frozenset({"clients:admin"})}, {}, "scopes"),
        ({"scopes": frozenset({"clients:admin", "events:read"})}, {"scopes": frozenset({"deliveries:read"})}, "scopes"),
        ({"account_id": "A"}, {}, "accountId"),
        ({"account_id": "A"}, {"account_id": "B"}, "accountId"),
        ({"vendor_id": "V"}, {}, "vendorId"),
        ({"vendor_id": "V"}, {"vendor_id": "W"}, "vendorId"),
        ({"marketplaces": frozenset({1})}, {}, "marketplaces"),
        ({"marketplaces": frozenset({1})}, {"marketplaces": (1, 2)}, "marketplaces"),
        ({"integration_id": "i"}, {}, None),
        ({"installation_id": "i"}, {}, None),
        ({"rate_per_s": 5.0}, {}, "rate"),
        ({"rate_per_s": 5.0}, {"rate_per_s": 0.0}, "rate"),
        ({"rate_per_s": 5.0}, {"rate_per_s": 5.1}, "rate"),
    ],
)
def test_nothing_is_given_that_one_has_not(caller: dict[str, object], client: dict[str, object], field: str) -> None:
    assert lacking(replace(CALLER, **caller), replace(CLIENT, **client)) == [field]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("caller", "client"),
    [
        ({"account_id": "A"}, {"account_id": "A"}),
        ({"vendor_id": "V"}, {"vendor_id": "V", "account_id": "A"}),
        ({"marketplaces": frozenset({1, 2})}, {"marketplaces": (2,)}),
        ({"rate_per_s": 5.0}, {"rate_per_s": 5.0}),
    ],
)
def test_what_one_has_is_given_on(caller: dict[str, object], client: dict[str, object]) -> None:
    assert lacking(replace(CALLER, **caller), replace(CLIENT, **client)) == []  # type: ignore[arg-type]


def test_the_deployments_rate_is_that_of_clients_without_one() -> None:
    slow = replace(CALLER, rate_per_s=5.0)
    assert lacking(slow, CLIENT, default_rate=5.0) == []
    assert lacking(slow, CLIENT, default_rate=9.0) == ["rate"]


@given(
    own=st.frozensets(st.sampled_from(sorted(ADMIN_SCOPES))), other=st.frozensets(st.sampled_from(sorted(ADMIN_SCOPES)))
)
def test_no_chain_of_clients_comes_to_more_than_its_first(own: frozenset[str], other: frozenset[str]) -> None:
    if not excess(Caller("me", effective(own)), replace(CLIENT, scopes=other), 0.0):
        assert effective(other) <= effective(own)
