"""Passwords: hashed with scrypt, a few at a time, and not twice within minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dispatcher.errors import RequestError
from dispatcher.flow.sessions.passwords import Cost, Passwords

CHEAP = Cost(n=2)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(threads=1, cost=CHEAP, max_waiting=3)
    yield made
    made.close()


async def test_a_hash_matches_its_password_and_no_other(passwords: Passwords) -> None:
    stored = await passwords.hashed("pässword")
    assert stored.startswith("scrypt$2$8$1$")
    assert await passwords.matches("pässword", stored)
    assert await passwords.matches("pässword", stored)
    assert not await passwords.matches("password", stored)
    assert stored != await passwords.hashed("pässword")


async def test_a_password_that_matched_is_not_hashed_again(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await passwords.hashed("password")
    assert await passwords.matches("password", stored)
    monkeypatch.setattr("dispatcher.flow.sessions.passwords._scrypt", lambda *_: b"")
    assert await passwords.matches("password", stored)
    assert not await passwords.matches("another", stored)


@pytest.mark.parametrize("stored", ["", "scrypt$2$8$1$a", "scrypt$x$8$1$YQ==$YQ==", "bcrypt$2$8$1$YQ==$YQ=="])
async def test_what_is_no_hash_of_ours_matches_nothing(passwords: Passwords, stored: str) -> None:
    assert not await passwords.matches("password", stored)


async def test_more_than_can_wait_are_told_to_come_again(passwords: Passwords) -> None:
    ended = await asyncio.gather(*(passwords.hashed("password") for _ in range(5)), return_exceptions=True)
    refused = [one for one in ended if isinstance(one, RequestError)]
    assert [(one.status, one.headers) for one in refused] == [(503, {"Retry-After": "1"})] * 2
    assert sum(isinstance(one, str) for one in ended) == 3
    assert await passwords.hashed("password")
