"""A token is served, refreshed and given up: pure arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dispatcher.store.secrets.tokens import AccessToken
from worker.oauth.slot import HOPELESS_S, TokenSlot, refresh_margin_s
from worker.oauth.values import TokenFailure

JITTER = st.floats(0, 1, exclude_max=True)
LIFETIME_S = st.integers(1, 86_400)


@given(LIFETIME_S, JITTER)
def test_a_token_is_never_refreshed_in_the_first_half_of_its_life(lifetime_s: int, jitter: float) -> None:
    margin_s = refresh_margin_s(lifetime_s, jitter)
    assert 0 < margin_s <= lifetime_s / 2
    assert margin_s >= min(30, lifetime_s / 2)


@given(LIFETIME_S, JITTER, st.floats(0, 2))
def test_a_fresh_token_is_usable_and_an_expired_one_is_neither(lifetime_s: int, jitter: float, share: float) -> None:
    slot = TokenSlot()
    slot.hold(AccessToken("t", 1000.0, 1000.0 + lifetime_s), 1000.0, jitter)
    now_s = 1000.0 + share * lifetime_s
    assert slot.usable(now_s) or not slot.fresh(now_s)
    assert slot.usable(now_s) == (now_s < 1000.0 + lifetime_s)


@given(st.one_of(st.none(), st.floats(0, 1e9)))
def test_a_failure_is_remembered_between_five_seconds_and_an_hour(retry_after_s: float | None) -> None:
    slot = TokenSlot()
    slot.fail(TokenFailure("TRANSPORT_ERROR", "down", retry_after_s), 0.0)
    assert slot.failing(4.9) is not None
    assert slot.failing(3600.1) is None


def test_one_of_two_tokens_refused_in_a_row_ends_the_asking_for_a_while() -> None:
    slot = TokenSlot()
    slot.hold(AccessToken("a", 0.0, 600.0), 0.0, 0.5)
    assert slot.refuse("a", 10.0)
    slot.hold(AccessToken("b", 10.0, 610.0), 10.0, 0.5)
    assert not slot.refuse("b", 10.5)
    assert slot.usable(11.0)
    assert not slot.refuse("b", 10.5 + HOPELESS_S - 1)
    assert slot.refuse("b", 10.5 + HOPELESS_S + 1)


def test_a_refused_token_that_lies_in_redis_is_not_taken_again() -> None:
    slot = TokenSlot()
    refused = AccessToken("a", 0.0, 600.0)
    slot.hold(refused, 0.0, 0.5)
    slot.refuse("a", 10.0)
    assert not slot.worth_adopting(refused, 11.0)
    assert slot.worth_adopting(AccessToken("b", 0.0, 600.0), 11.0)
